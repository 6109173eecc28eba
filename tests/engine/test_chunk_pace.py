"""When the next chunk must be begun, from measured times alone."""

from __future__ import annotations

from engine.chunk_pace import MEASURED_CHUNKS, RESERVE_S, ChunkPace

RATE_FPS = 16.0
CHUNK = (3, 12)  # latent frames, frames


def measured(*answers_s: float) -> ChunkPace:
    pace = ChunkPace(RATE_FPS, 60)
    for answer_s in answers_s:
        pace.note(CHUNK[0], CHUNK[1], answer_s, answer_s + 0.05)
    return pace


def test_before_anything_was_measured_a_whole_chunk_is_kept_ahead() -> None:
    assert measured().low_water_frames(*CHUNK) > CHUNK[1]


def test_a_fast_model_waits_until_little_more_than_the_reserve_is_left() -> None:
    low = measured(*[0.02] * 5).low_water_frames(*CHUNK)
    assert RESERVE_S * RATE_FPS <= low <= RESERVE_S * RATE_FPS + 2


def test_a_slow_model_begins_a_chunk_ahead_and_leaves_room_to_write_it() -> None:
    assert measured(*[0.6] * 5).low_water_frames(*CHUNK) >= 12
    assert measured(*[30.0] * 5).low_water_frames(*CHUNK) == 60 - 12


def test_one_stall_counts_until_the_next_chunk_and_is_then_forgotten() -> None:
    pace = measured(*[0.1] * 6, 0.9)
    assert pace.expected_s(*CHUNK) == 0.9
    pace.note(*CHUNK, 0.1, 0.1)
    assert pace.expected_s(*CHUNK) == 0.1


def test_another_chunk_size_is_measured_on_its_own() -> None:
    pace = measured(*[0.1] * 5)
    assert pace.expected_s(1, 4) == 4 / RATE_FPS
    assert abs(pace.generator_fps - 12 / 0.15) < 1e-9


def test_what_must_not_be_late_is_as_slow_as_of_late() -> None:
    pace = ChunkPace(16.0, 60)
    assert pace.slowest_s(3, 12) == (0.75, 0.75), "its own playing time before one was measured"
    for answer_s in (0.4, 0.9, 0.4, 0.4):
        pace.note(3, 12, answer_s, answer_s + 0.1)
    assert pace.slowest_s(3, 12) == (0.9, 1.0)
    for _ in range(MEASURED_CHUNKS):
        pace.note(3, 12, 0.4, 0.5)
    assert pace.slowest_s(3, 12) == (0.4, 0.5)
