"""Tempo from taps as hands tap them: uneven, with a beat left out, in series."""

from __future__ import annotations

import random

import pytest

from vj.tempo.tap import TapTempo

SECOND_NS = 1_000_000_000


def tapped(tap: TapTempo, bpm: float, beats: list[float], from_ns: int = SECOND_NS) -> int:
    """Tap at these beats; return the time of the last tap."""
    at_ns = from_ns
    for beat in beats:
        at_ns = from_ns + round(beat * 60 / bpm * SECOND_NS)
        tap.tap(at_ns)
    return at_ns


@pytest.mark.parametrize("bpm", [24, 60, 97.3, 120, 174, 200, 300])
def test_four_taps_are_a_tempo_and_three_are_none(bpm):
    tap = TapTempo()
    tapped(tap, bpm, [0, 1, 2])
    assert tap.bpm is None
    tapped(tap, bpm, [3])
    assert TapTempo().bpm is None
    tap = TapTempo()
    tapped(tap, bpm, [0, 1, 2, 3])
    assert tap.bpm == pytest.approx(bpm, rel=1e-3)


@pytest.mark.parametrize("bpm", [60, 120, 180])
def test_an_uneven_hand_is_evened_out_by_more_taps(bpm):
    hand = random.Random(3)
    tap = TapTempo()
    off_beats = 0.02 * bpm / 60  # 20 ms, as hands are
    tapped(tap, bpm, [k + hand.gauss(0.0, off_beats) for k in range(16)])
    assert tap.bpm == pytest.approx(bpm, rel=0.01)


def test_a_beat_left_out_counts_as_two():
    tap = TapTempo()
    tapped(tap, 128, [0, 1, 2, 4, 5, 6])
    assert tap.bpm == pytest.approx(128, rel=1e-3)


def test_a_pause_begins_anew():
    tap = TapTempo()
    last_ns = tapped(tap, 90, [0, 1, 2, 3, 4])
    tapped(tap, 140, [0, 1, 2], last_ns + 4 * SECOND_NS)
    assert tap.bpm is None
    tap = TapTempo()
    last_ns = tapped(tap, 90, [0, 1, 2, 3, 4])
    tapped(tap, 140, [0, 1, 2, 3], last_ns + 4 * SECOND_NS)
    assert tap.bpm == pytest.approx(140, rel=1e-3)


def test_one_press_heard_twice_is_one_tap():
    tap = TapTempo()
    assert tap.tap(SECOND_NS)
    assert not tap.tap(SECOND_NS + 30_000_000)
    assert tap.tap(SECOND_NS + 500_000_000)


def test_a_tempo_no_clock_has_is_none():
    tap = TapTempo()
    tapped(tap, 420, [0, 1, 2, 3, 4])
    assert tap.bpm is None
