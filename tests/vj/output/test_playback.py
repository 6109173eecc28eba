"""The playback clock alone: limits of its speed and its counters."""

from __future__ import annotations

from vj.output.playback import LONGEST_STEP_S, PlaybackClock

SECOND_NS = 1_000_000_000


def test_time_that_runs_backwards_moves_nothing():
    clock = PlaybackClock()
    clock.anchor(10 * SECOND_NS, 0.0, 16.0)
    assert clock.advance(9 * SECOND_NS, 100) == 0.0


def test_the_first_refresh_after_a_long_sleep_moves_one_short_step():
    clock = PlaybackClock()
    clock.anchor(0, 0.0, 16.0)
    assert clock.advance(60 * SECOND_NS, 1000) == 16.0 * LONGEST_STEP_S


def test_the_position_never_passes_the_newest_frame():
    clock = PlaybackClock()
    clock.anchor(0, 0.0, 16.0)
    for k in range(1, 400):
        assert clock.advance(k * SECOND_NS // 60, 5) <= 5.0
    assert clock.is_starved
    assert clock.repeats > 90


def test_a_cut_keeps_the_speed_a_slow_generator_was_found_to_have():
    clock = PlaybackClock()
    clock.anchor(0, 0.0, 16.0)
    for _ in range(5):
        clock.note_chunk(12, 1.5, 0.0)
    for k in range(1, 600):
        clock.advance(k * SECOND_NS // 60, 1000)
    slow = clock.rate_fps
    assert 0.8 * 8.0 < slow < 8.01
    clock.anchor(10 * SECOND_NS, 500.0, 16.0)
    assert clock.rate_fps == slow


def test_a_full_ring_says_nothing_about_the_generator():
    clock = PlaybackClock()
    clock.anchor(0, 0.0, 16.0)
    clock.note_chunk(12, 5.0, 24.0)
    for k in range(1, 120):
        clock.advance(k * SECOND_NS // 60, 1000)
    assert clock.rate_fps == 16.0
