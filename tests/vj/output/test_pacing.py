"""Refresh pacing on pretended time: swaps that wait, swaps that do not, drawing that is too heavy."""

from __future__ import annotations

import pytest

from vj.output.pacing import RefreshPace

MS = 1_000_000


def refresh(pace: RefreshPace, swap_ms: float, count: int) -> list[float]:
    """Play refreshes whose swap takes `swap_ms` after the asked delay; return the times between swaps."""
    now_ns, gaps = 0, []
    delay_ns = pace.delay_ns(now_ns)
    for _ in range(count):
        before = now_ns
        now_ns += delay_ns + round(swap_ms * MS)
        delay_ns = pace.delay_ns(now_ns)
        gaps.append((now_ns - before) / MS)
    return gaps


def test_swaps_that_wait_for_the_display_are_never_delayed():
    assert refresh(RefreshPace(60), 16.667, 100) == pytest.approx([16.667] * 100)


def test_swaps_that_do_not_wait_are_held_to_the_display_rate():
    gaps = refresh(RefreshPace(60), 3.0, 200)
    assert sum(gaps[20:]) / len(gaps[20:]) == pytest.approx(1000 / 60, rel=0.01)


def test_a_late_refresh_is_not_made_up_for():
    pace = RefreshPace(60)
    now_ns = 0
    for _ in range(10):
        now_ns += 2 * MS + pace.delay_ns(now_ns)
    assert pace.delay_ns(now_ns + 500 * MS) <= 17 * MS
    assert pace.delay_ns(now_ns + 505 * MS) > 10 * MS


def test_heavy_drawing_halves_the_rate_and_light_drawing_restores_it():
    pace = RefreshPace(60)
    for _ in range(100):
        pace.note_cost(14 * MS, 14 * MS)
    gaps = refresh(pace, 14.0, 50)
    assert 1.2 * 1000 / 60 < gaps[-1] < 2000 / 60  # the display's own wait does the rest
    for _ in range(200):
        pace.note_cost(1 * MS, 1 * MS)
    assert refresh(pace, 16.667, 50)[-1] == pytest.approx(16.667, rel=0.01)


def test_drawing_that_waits_for_a_core_is_not_heavy():
    pace = RefreshPace(60)
    for _ in range(100):
        pace.note_cost(14 * MS, 5 * MS)
    assert refresh(pace, 14.0, 50)[-1] == pytest.approx(1000 / 60, rel=0.02)


def test_a_display_that_does_not_say_its_rate_is_taken_for_60_hz():
    gaps = refresh(RefreshPace(0.0), 1.0, 100)
    assert gaps[-1] == pytest.approx(1000 / 60, rel=0.01)
