"""Waves keep to their range and their beats; chance is the same for the same seed."""

import math

import pytest

from vj.modulation.params import CURVES, SHAPES
from vj.modulation.waves import Walk, chance, curved, wave


@pytest.mark.parametrize(
    ("shape", "heights"),
    [
        ("sine", [0.0, 0.5, 1.0, 0.5]),
        ("triangle", [0.0, 0.5, 1.0, 0.5]),
        ("saw_up", [0.0, 0.25, 0.5, 0.75]),
        ("saw_down", [1.0, 0.75, 0.5, 0.25]),
        ("square", [1.0, 1.0, 0.0, 0.0]),
    ],
)
def test_shapes_at_the_quarters_of_every_cycle(shape: str, heights: list[float]):
    for cycle in (-3, 0, 1, 4096):
        assert [wave(shape, cycle + k / 4) for k in range(4)] == pytest.approx(heights, abs=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_stays_between_0_and_1(shape: str):
    heights = [wave(shape, k / 97 - 20, seed=5) for k in range(5000)]
    assert min(heights) >= 0.0
    assert max(heights) <= 1.0
    assert max(heights) - min(heights) > 0.9


def test_random_holds_for_a_cycle_and_repeats_for_a_seed():
    first = [wave("random", k + share, seed=3) for k in range(200) for share in (0.0, 0.5, 0.999)]
    assert first == [wave("random", k, seed=3) for k in range(200) for _ in range(3)]
    assert first != [wave("random", k, seed=4) for k in range(200) for _ in range(3)]


def test_chance_is_even_and_remembers_nothing():
    drawn = [chance(k, 11) for k in range(20_000)]
    counts = [0] * 10
    for number in drawn:
        counts[int(number * 10)] += 1
    assert all(abs(count - 2000) < 200 for count in counts)
    mean = sum(drawn) / len(drawn)
    spread = sum((number - mean) ** 2 for number in drawn)
    after = sum((a - mean) * (b - mean) for a, b in zip(drawn, drawn[1:], strict=False))
    assert abs(after / spread) < 0.03
    assert abs(sum(chance(5, seed) for seed in range(2000)) / 2000 - 0.5) < 0.03


@pytest.mark.parametrize("curve", CURVES)
def test_curves_keep_their_ends_and_their_order(curve: str):
    heights = [curved(curve, k / 50) for k in range(51)]
    assert (heights[0], heights[-1]) == (0.0, 1.0)
    assert heights == sorted(heights)


def test_a_walk_is_smooth_stays_inside_and_does_not_come_back():
    walk = Walk(seed=9)
    heights = [walk.height_at(k / 20) for k in range(4000)]
    assert min(heights) >= 0.0
    assert max(heights) <= 1.0
    assert max(heights) - min(heights) > 0.8
    assert max(abs(b - a) for a, b in zip(heights, heights[1:], strict=False)) < 0.05
    turns = [walk.moved_to(k).height for k in range(200)]
    near = sum(abs(b - a) for a, b in zip(turns, turns[1:], strict=False)) / 199
    far = sum(abs(b - a) for a, b in zip(turns, turns[20:], strict=False)) / 180
    assert near < far, "where it goes next depends on where it is: a walk, not dice"


def test_a_walk_is_the_same_from_any_turn_on():
    walk = Walk(seed=2)
    for position in (0.3, 7.9, 40.0, 99.99):
        straight = walk.height_at(position)
        assert walk.moved_to(math.floor(position)).height_at(position) == straight
        assert walk.moved_to(math.floor(position) // 2).height_at(position) == pytest.approx(straight)
    assert [Walk(2).height_at(k / 3) for k in range(50)] != [Walk(3).height_at(k / 3) for k in range(50)]
