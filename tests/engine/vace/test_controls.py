"""Control makers on moving pictures: what each shows, the same in any pieces, steady where nothing moves."""

from __future__ import annotations

import numpy as np
import pytest

from engine.vace.controls.flow import draw_flow
from engine.vace.controls.registry import CONTROL_MAKERS
from engine.video_in.params import CONTROLS

HEIGHT, WIDTH, FRAMES = 96, 160, 8
READY = [name for name, control in CONTROL_MAKERS.items() if control.make is not None]


def moving_square(frames: int = FRAMES, step: int = 3, contrast: int = 200) -> np.ndarray:
    """A bright square that moves right over a dark, grained ground: (T, H, W, 4)."""
    grain = np.random.default_rng(1).normal(0.0, 6.0, (HEIGHT // 2, WIDTH // 2)).repeat(2, 0).repeat(2, 1)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    made = np.full((frames, HEIGHT, WIDTH, 4), 255, np.uint8)
    for number in range(frames):
        ground = 25 + grain.clip(-20, 20)
        left = 30 + step * number
        inside = (rows >= 30) & (rows < 66) & (columns >= left) & (columns < left + 40)
        texture = contrast + 15 * np.sin((columns - step * number) / 3.0) * np.cos(rows / 4.0)
        made[number, ..., :3] = np.where(inside, texture, ground)[..., None].astype(np.uint8)
        made[number, ..., 0] //= 2
    return made


def make(name: str, frames: np.ndarray, detail: float = 0.5) -> np.ndarray:
    return CONTROL_MAKERS[name].make(frames, detail).pixels


def test_every_control_a_performer_can_choose_has_a_maker() -> None:
    assert tuple(CONTROL_MAKERS) == CONTROLS
    for control in CONTROL_MAKERS.values():
        assert (control.make is None) != (control.load is None)
        assert bool(control.needs) == (control.load is not None)
        assert control.description


@pytest.mark.parametrize("name", READY)
def test_a_control_is_the_same_in_any_pieces_and_leaves_the_frames_alone(name: str) -> None:
    frames = moving_square()
    before = frames.copy()
    whole = make(name, frames)
    assert whole.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert whole.dtype == np.uint8
    carried, parts = None, []
    for part in np.split(frames, [1, 5, 6]):
        made = CONTROL_MAKERS[name].make(part, 0.5, carried)
        carried = made.carried
        parts.append(made.pixels)
    assert (np.concatenate(parts) == whole).all()
    assert (frames == before).all()
    assert (make(name, frames[..., :3]) == whole).all()


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("size", [(16, 16), (40, 24), (8, 200)])
def test_a_control_is_made_of_pictures_of_any_size(name: str, size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, *size, 4), np.uint8)
    for detail in (0.0, 1.0):
        assert make(name, frames, detail).shape == (2, *size, 3)


def test_luma_is_grey_and_none_is_the_picture() -> None:
    frames = moving_square()
    grey = make("luma", frames)
    assert (grey == grey[..., :1]).all()
    assert grey[0, 48, 40, 0] > grey[0, 5, 5, 0] + 100
    assert (make("none", frames) == frames[..., :3]).all()


def test_edges_are_lines_on_black_that_move_with_the_picture() -> None:
    lines = make("edges", moving_square(), 0.3)
    assert lines.mean() < 20
    for number in (0, 7):
        row = lines[number, 48, :, 0].astype(int)
        left = 30 + 3 * number
        assert row[left - 2 : left + 2].max() > 150
        assert row[left + 38 : left + 42].max() > 150
        assert row[left + 8 : left + 30].max() < 60
        assert row[:20].max() == 0


def test_more_detail_is_more_lines() -> None:
    pictures = np.random.default_rng(2).normal(0.0, 1.0, (1, HEIGHT // 8, WIDTH // 8, 1))
    frames = np.kron(pictures, np.ones((1, 8, 8, 4)))
    frames = (128 + 30 * frames).clip(0, 255).astype(np.uint8)
    light = [float(make("edges", frames, detail).mean()) for detail in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert light == sorted(light)
    assert light[-1] > 3 * light[0] + 1


def test_lines_do_not_flicker_with_the_noise_of_a_camera() -> None:
    still = np.repeat(moving_square(1, contrast=90), 24, axis=0)
    noise = np.random.default_rng(3).normal(0.0, 3.0, still[..., :3].shape)
    noisy = still.copy()
    noisy[..., :3] = (still[..., :3] + noise).clip(0, 255).astype(np.uint8)
    together = make("edges", noisy, 0.6)[8:, ..., 0].astype(float)
    alone = np.stack([make("edges", frame[None], 0.6)[0, ..., 0] for frame in noisy[8:]]).astype(float)
    flicker, flicker_alone = (float(np.abs(np.diff(lines, axis=0)).mean()) for lines in (together, alone))
    assert flicker < 0.6 * flicker_alone
    assert flicker < 0.25 * together.mean()


def test_an_edge_comes_and_goes_softly() -> None:
    frames = np.full((1, HEIGHT, WIDTH, 4), 60, np.uint8)
    heights = []
    for step in range(0, 60, 2):
        frames[:, :, WIDTH // 2 :, :3] = 60 + step
        heights.append(int(make("edges", frames, 0.5)[0, 48].max()))
    assert heights[0] == 0
    assert heights[-1] > 200
    assert max(np.diff(heights)) < 90, "no line jumps in at a threshold"
    assert min(np.diff(heights)) >= -1


@pytest.mark.parametrize("name", ["blur", "colour"])
def test_less_detail_is_softer_and_colours_stay(name: str) -> None:
    frames = moving_square(1)
    softness = []
    for detail in (1.0, 0.5, 0.0):
        made = make(name, frames, detail).astype(float)
        assert np.abs(made.mean(axis=(0, 1, 2)) - frames[..., :3].mean(axis=(0, 1, 2))).max() < 4
        softness.append(np.abs(np.diff(made, axis=2)).max())
    assert softness == sorted(softness, reverse=True)
    assert softness[-1] < 0.4 * softness[0]


def test_flow_shows_direction_and_speed_in_colour_and_stillness_in_white() -> None:
    right, left = make("flow", moving_square(step=3)), make("flow", moving_square(step=-3))
    assert (right[0] == 255).all(), "the first frame has none before it"
    middle = (slice(40, 56), slice(50, 70))
    for made in (right, left):
        assert made[4][middle].min() < 200
        assert made[4, :15, :15].min() > 230
    assert np.abs(right[4][middle].mean(axis=(0, 1)) - left[4][middle].mean(axis=(0, 1))).max() > 60
    slow, fast = (255.0 - make("flow", moving_square(step=step))[5][middle].min(axis=-1).mean() for step in (1, 4))
    assert fast > 1.5 * slow
    still = make("flow", moving_square(step=0))
    assert still[1:].min() > 240


def test_flow_colours_are_those_of_the_benchmarks_wheel() -> None:
    moves = np.zeros((1, 4, 2), np.float32)
    moves[0, :, 0] = [10.0, -10.0, 0.0, 0.0]
    moves[0, :, 1] = [0.0, 0.0, 10.0, 0.0]
    right, left, down, still = draw_flow(moves, 10.0)[0].astype(int)
    assert right[0] == 255
    assert right[1:].max() < 20  # red
    assert left[0] < 20  # cyan to blue
    assert left[2] == 255
    assert down[:2].min() > 200  # yellow
    assert down[2] < 20
    assert (still == 255).all()
