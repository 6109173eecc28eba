"""Every measure on pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.measures import drift, seam, smoothness, stillness, switch_latency, temporal_flickering
from engine.evaluation.picture_log import PictureLog

RATE_HZ = 16.0


def grey(level: float, height: int = 8, width: int = 12) -> np.ndarray:
    return np.full((height, width, 3), round(level), np.uint8)


def log_of(frames) -> PictureLog:
    log = PictureLog()
    for frame in frames:
        log.add(frame)
    return log


def step_log(changes: list[float]) -> PictureLog:
    """A log of greys whose steps are these, up and down around the middle."""
    level, frames = 128.0, [grey(128)]
    for change in changes:
        level += change if level <= 128.0 else -change
        frames.append(grey(level))
    return log_of(frames)


def test_flickering_is_the_published_formula():
    frames = np.random.default_rng(1).integers(0, 256, (5, 20, 30, 3), dtype=np.uint8)
    wide = frames.astype(np.float32)
    published = (255.0 - np.mean([np.mean(np.abs(a - b)) for a, b in zip(wide[:-1], wide[1:], strict=True)])) / 255.0
    assert temporal_flickering(log_of(frames)) == pytest.approx(published, abs=1e-7)
    assert temporal_flickering(log_of([grey(0), grey(255), grey(0)])) == 0.0
    assert temporal_flickering(log_of([grey(7)] * 4)) == 1.0
    assert temporal_flickering(log_of([grey(7)])) is None


def test_a_steady_change_is_smooth_and_a_jump_is_not():
    assert smoothness(log_of([grey(10 * step) for step in range(9)])) == 1.0
    jumpy = smoothness(log_of([grey(100 if step % 2 else 0) for step in range(9)]))
    assert jumpy == pytest.approx((255 - 100) / 255)
    assert smoothness(log_of([grey(1), grey(2)])) is None


def test_drift_is_told_as_a_share_of_the_first_ten_seconds():
    def frame(second: int) -> np.ndarray:
        picture = grey(100)
        picture[:, ::2] = 120 if second < 20 else 132  # mean 110, then 116; deviation 10, then 16
        return picture

    log = log_of(frame(number // int(RATE_HZ)) for number in range(int(40 * RATE_HZ)))
    found = drift(log, RATE_HZ)
    assert found.mean == pytest.approx(6 / 110, abs=1e-3)
    assert found.contrast == pytest.approx(0.6, abs=1e-3)
    assert found.mean_at_end == pytest.approx(6 / 110, abs=1e-3)
    assert found.luminance_per_minute == pytest.approx((113.0,), abs=1e-3)
    assert drift(log_of([grey(1)] * 100), RATE_HZ) is None


def test_a_drift_that_comes_back_is_seen():
    levels = [100] * 160 + [50] * 160 + [100] * 160
    found = drift(log_of(grey(level) for level in levels), RATE_HZ)
    assert (found.mean, found.mean_at_end) == (pytest.approx(0.5), 0.0)


@pytest.mark.parametrize(("height", "expected"), [(8, 2.0), (4, 1.0), (6, 1.5)])
def test_a_seam_is_the_step_at_chunk_boundaries_over_the_others(height: int, expected: float):
    changes = [height if frame >= 9 and (frame - 9) % 12 == 0 else 4 for frame in range(1, 400)]
    assert seam(step_log(changes), 12, 9) == pytest.approx(expected)


def test_a_seam_at_another_period_is_none():
    changes = [8 if frame >= 9 and (frame - 9) % 10 == 0 else 4 for frame in range(1, 400)]
    assert seam(step_log(changes), 12, 9) == pytest.approx(1.0)


def test_restless_streams_have_no_seam():
    changes = np.random.default_rng(2).integers(4, 8, 960).tolist()
    assert seam(step_log(changes), 12, 9) == pytest.approx(1.0, abs=0.25)


def test_no_seam_is_told_of_short_or_still_streams():
    assert seam(step_log([4.0] * 30), 12, 9) is None
    assert seam(log_of([grey(9)] * 100), 12, 9) is None


def test_a_standstill_is_timed_and_extremes_are_kept():
    frames = [grey(step % 200) for step in range(40)] + [grey(201)] * 33 + [grey(250), grey(2)]
    found = stillness(log_of(frames), RATE_HZ)
    assert found.longest_still_s == 2.0
    assert (found.least_luminance, found.most_luminance) == pytest.approx((0.0, 250.0), abs=1e-3)
    with pytest.raises(ValueError, match="no frames"):
        stillness(PictureLog(), RATE_HZ)


def moving_stripes(colour: tuple[int, int, int], number: int) -> np.ndarray:
    picture = np.zeros((24, 32, 3), np.uint8)
    picture[:, (np.arange(32) + number) % 8 < 4] = colour
    return picture


@pytest.mark.parametrize("late", [0, 7, 12])
def test_a_switch_is_found_when_it_happens_whatever_moves(late: int):
    log = log_of(moving_stripes((200, 20, 20) if n < 40 + late else (20, 20, 220), n) for n in range(100))
    found = switch_latency(log, 40, RATE_HZ)
    assert (found.first_frames, found.half_way_frames) == (late, late)


def test_a_fade_begins_before_it_is_half_way():
    def frame(number: int) -> np.ndarray:
        share = np.clip((number - 40) / 24, 0, 1)
        return np.concatenate([moving_stripes((200, 20, 20), number)[: round(24 * (1 - share))],
                               moving_stripes((20, 20, 220), number)[round(24 * (1 - share)) :]])  # fmt: skip

    found = switch_latency(log_of(map(frame, range(110))), 40, RATE_HZ)
    assert 1 <= found.first_frames <= 5
    assert found.half_way_frames == pytest.approx(13, abs=1)


def test_a_switch_that_changes_nothing_is_none_and_one_out_of_reach_is_a_sentence():
    log = log_of(moving_stripes((200, 20, 20), number) for number in range(80))
    assert switch_latency(log, 40, RATE_HZ).half_way_frames is None
    with pytest.raises(ValueError, match="one second before"):
        switch_latency(log, 60, RATE_HZ)


def test_frames_of_two_sizes_are_refused():
    log = log_of([grey(1)])
    with pytest.raises(ValueError, match="16x10, the one before 12x8"):
        log.add(grey(1, 10, 16))
