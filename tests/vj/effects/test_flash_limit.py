"""The strobe's limit: three flashes in any second, whatever moves it and however often it is asked."""

from __future__ import annotations

import random

import pytest

from vj.effects.flash_limit import Strobe

SECOND_NS = 1_000_000_000


def flashes(moments_ns: list[int], emitted: list[float]) -> list[int]:
    """Moments at which what is emitted begins to rise after it has fallen or stood: one for each flash."""
    found, is_rising, before = [], False, 0.0
    for at_ns, strength in zip(moments_ns, emitted, strict=True):
        if strength > before and not is_rising:
            found.append(at_ns)
            is_rising = True
        elif strength < before:
            is_rising = False
        before = strength
    return found


def most_in_a_second(moments_ns: list[int]) -> int:
    return max((sum(start <= at < start + SECOND_NS for at in moments_ns) for start in moments_ns), default=0)


@pytest.mark.parametrize("refresh_hz", [24, 60, 144, 1000])
@pytest.mark.parametrize("moved", ["rate", "mix", "share", "all at random", "fast wave"])
def test_three_in_any_second_whatever_moves_it(refresh_hz: int, moved: str):
    draw, strobe = random.Random(f"{refresh_hz} {moved}"), Strobe()
    moments, emitted = [], []
    for number in range(refresh_hz * 20):
        at_ns = round(number * SECOND_NS / refresh_hz + draw.uniform(0, 0.3) * SECOND_NS / refresh_hz)
        is_random = moved == "all at random"
        mix = draw.choice([0.0, 0.3, 1.0]) if moved == "mix" or is_random else 1.0
        mix = float(number % 2) if moved == "fast wave" else mix
        rate_hz = draw.uniform(0.5, 20.0) if moved == "rate" or is_random else 20.0
        share = draw.uniform(0.05, 0.95) if moved == "share" or is_random else 0.5
        moments.append(at_ns)
        emitted.append(strobe.flash_at(at_ns, mix, rate_hz, share, draw.randrange(3)).strength)
    found = flashes(moments, emitted)
    assert most_in_a_second(found) <= 3
    assert len(found) >= 20 * 2, "and hardly fewer: it still flashes"


def test_the_light_never_changes_within_a_flash():
    strobe, draw = Strobe(), random.Random(3)
    seen = [strobe.flash_at(k * 10_000_000, 1.0, 20.0, 0.9, draw.randrange(3)) for k in range(2000)]
    pairs = zip(seen, seen[1:], strict=False)
    assert all(a.light == b.light for a, b in pairs if a.strength > 0.0 and b.strength > 0.0)


def test_lifted_it_flashes_as_asked_and_turned_on_it_flashes_at_once():
    strobe = Strobe()
    assert strobe.flash_at(0, 0.0, 10.0, 0.5, 0.0, is_limited=False).strength == 0.0
    moments = [k * 10_000_000 for k in range(1, 201)]
    emitted = [strobe.flash_at(at, 0.8, 10.0, 0.5, 0.0, is_limited=False).strength for at in moments]
    assert emitted[0] == 0.8
    assert most_in_a_second(flashes(moments, emitted)) in (10, 11)


def test_a_slow_hand_is_not_held_up():
    strobe, seen = Strobe(), []
    for k in range(300):
        seen.append(strobe.flash_at(k * 10_000_000, k / 300, 0.1, 1.0, 0.0).strength)
    assert seen == [k / 300 for k in range(300)]
