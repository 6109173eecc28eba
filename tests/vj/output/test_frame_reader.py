"""Playback from a real ring file on a pretended clock: rate, stalls, slow generators, cuts, replaced rings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.chunk_pace import ChunkPace
from tests.vj.output.played_ring import RATE_FPS, REFRESH_NS, SECOND_NS, PlayedRing
from vj.output.frame_reader import FrameReader

Play = Callable[..., PlayedRing]
STEP = RATE_FPS * REFRESH_NS / SECOND_NS  # frames per refresh at content rate


@pytest.fixture
def play(tmp_path: Path) -> Play:
    def start(chunk_s: float, chunk_frames: int = 12, first_frames: int = 9) -> PlayedRing:
        return PlayedRing(tmp_path / "ring", chunk_s=chunk_s, chunk_frames=chunk_frames, first_frames=first_frames)

    return start


def test_nothing_to_show_without_a_ring(tmp_path: Path):
    reader = FrameReader(tmp_path / "none")
    assert reader.picture_at(SECOND_NS) is None
    assert not reader.status.is_streaming
    reader.close()


@pytest.mark.parametrize(("chunk_s", "chunk_frames", "first_frames"), [(0.4, 12, 9), (0.1, 4, 1)])
def test_plays_at_content_rate_whatever_the_bursts(play: Play, chunk_s, chunk_frames, first_frames):
    played = play(chunk_s, chunk_frames, first_frames)
    played.run(20)
    assert played.steps(0).min() > 0.97 * STEP  # a small reserve at the start is filled unnoticed
    assert played.steps(4).min() == pytest.approx(STEP, rel=1e-3)
    assert played.steps(4).max() == pytest.approx(STEP, rel=1e-3)
    assert played.reader.status.repeats == 0
    assert played.reader.status.playback_fps == pytest.approx(RATE_FPS, rel=1e-3)


def test_blends_between_the_two_nearest_frames(play: Play):
    played = play(0.2)
    played.run(2)
    picture = played.reader.picture_at(played.now_ns)
    assert picture.second.index == picture.first.index + 1
    assert 0.0 <= picture.share < 1.0
    assert picture.first.pixels[0, 0, 0] == picture.first.index % 256


def test_a_stream_starts_with_its_first_chunk(play: Play):
    played = play(0.3)
    played.run(0.27)
    assert played.positions == []
    played.run(0.25)
    assert played.positions[0][2] == 0.0
    assert played.positions[0][0] == pytest.approx(1.3, abs=0.25)


def test_a_generator_at_exactly_content_rate_never_stalls(play: Play):
    played = play(12 / RATE_FPS)
    played.run(5)
    before = played.reader.status.repeats
    played.run(20)
    assert played.reader.status.repeats == before
    assert played.steps(6).min() > 0.9 * STEP


@pytest.mark.parametrize("chunk_s", [1.0, 2.0])
def test_a_slow_generator_is_played_at_its_own_rate_not_stop_and_go(play: Play, chunk_s):
    played = play(chunk_s)
    played.run(12)
    before, since = played.reader.status.repeats, played.now_ns / SECOND_NS
    played.run(20)
    steps = played.steps(since)
    assert steps.mean() * 60 == pytest.approx(12 / chunk_s, rel=0.03)
    assert steps.min() > 0.7 * steps.mean()
    assert played.reader.status.repeats - before <= 1


def test_a_generator_that_recovers_is_played_at_content_rate_again(play: Play):
    played = play(1.0)
    played.run(10)
    played.chunk_s = 0.3
    played.run(8)
    since = played.now_ns / SECOND_NS
    played.run(5)
    assert played.steps(since).mean() == pytest.approx(STEP, rel=0.01)


@pytest.mark.parametrize("chunk_s", [0.1, 0.5])
def test_a_worker_that_waits_for_the_display_is_not_taken_for_a_slow_one(play: Play, chunk_s):
    played = play(1.2)
    played.pace = ChunkPace(RATE_FPS, played.ring.capacity)
    played.run(12)
    assert played.reader.status.playback_fps < 11
    played.chunk_s = chunk_s
    played.run(10)
    since = played.now_ns / SECOND_NS
    played.run(10)
    assert played.steps(since).mean() == pytest.approx(STEP, rel=1e-3)


def test_a_chunk_that_comes_in_parts_is_played_as_one(play: Play):
    played = play(0.4)
    played.pace, played.parts = ChunkPace(RATE_FPS, played.ring.capacity), 3
    played.run(8)
    since = played.now_ns / SECOND_NS
    played.run(10)
    assert played.steps(since).mean() == pytest.approx(STEP, rel=1e-3)
    assert played.steps(since).min() > STEP / 2, "no refresh waits for a part"
    assert played.reader.status.repeats == 0


def test_after_a_stall_playback_goes_on_from_where_it_was(play: Play):
    played = play(0.3)
    played.run(5)
    played.chunk_s = 8.0
    played.run(14)
    assert played.reader.status.repeats > 16
    played.chunk_s = 0.3
    stalled_at = len(played.positions)
    played.run(10)
    after = [at for _, _, at in played.positions[stalled_at:]]
    assert np.diff(after).max() <= STEP * 1.04  # never fast-forwarded
    assert np.diff(after).min() >= 0.0  # nothing skipped back
    assert np.diff(after)[-60:].mean() == pytest.approx(STEP, rel=0.01)


def test_an_underrun_says_so_and_creeps_to_the_last_frame(play: Play):
    played = play(0.3)
    played.run(3)
    played.chunk_s = 1e6
    played.run(5)
    assert played.reader.status.is_starved
    assert played.reader.status.buffered_frames == 0
    last = [at for _, _, at in played.positions[-200:]]
    assert last[-1] >= last[0]


def test_a_display_that_slept_is_not_made_up_for(play: Play):
    played = play(0.3)
    played.run(3)
    before = played.positions[-1][2]
    played.now_ns += 5 * SECOND_NS
    played.look()
    assert 0 < played.positions[-1][2] - before <= 0.25 * RATE_FPS + STEP


@pytest.mark.parametrize(("chunk_s", "chunk_frames", "first_frames"), [(0.5, 12, 9), (0.15, 4, 1)])
def test_a_hard_cut_switches_at_once_without_a_gap(play: Play, chunk_s, chunk_frames, first_frames):
    played = play(chunk_s, chunk_frames, first_frames)
    played.run(5)
    played.hard_cut()
    cut_s = played.now_ns / SECOND_NS
    played.run(3)
    new = [p for p in played.positions if p[1] == 2]
    assert new[0][0] - cut_s < chunk_s + 0.75
    assert new[0][2] < 2  # from its beginning
    late = [p for p in played.positions if p[0] >= cut_s]
    still = longest = 0
    for a, b in zip(late, late[1:], strict=False):
        still = still + 1 if abs(a[2] - b[2]) < 1e-6 and a[1] == b[1] else 0
        longest = max(longest, still)
    assert longest / 60 < 0.2


def test_the_old_stream_fades_into_the_new_one(play: Play):
    played = play(0.2)
    played.run(4)
    played.hard_cut()
    shares = []
    for _ in range(120):
        played.run(1 / 60)
        picture = played.reader.picture_at(played.now_ns)
        if picture.first.stream_id != picture.second.stream_id:
            shares.append(picture.share)
    assert 4 <= len(shares) <= 12
    assert shares == sorted(shares)


def test_of_several_cuts_the_newest_stream_is_shown(play: Play):
    played = play(0.2)
    played.run(4)
    for _ in range(3):
        played.hard_cut()
        played.run(0.05)
    played.run(2)
    assert played.reader.status.stream_id == 4


@pytest.mark.parametrize("chunk_s", [0.1, 0.5, 1.2])
def test_a_dated_stream_is_shown_at_the_refresh_nearest_to_its_moment_without_a_fade(play: Play, chunk_s):
    played = play(chunk_s)
    played.pace = ChunkPace(RATE_FPS, played.ring.capacity)
    played.run(10)
    present_ns = played.now_ns + int((2 * chunk_s + 0.4) * SECOND_NS)
    played.hard_cut(present_ns)
    played.run(2 * chunk_s + 2)
    seen_s = next(at for at, stream, _ in played.positions if stream == 2)
    assert abs(seen_s - present_ns / SECOND_NS) <= REFRESH_NS / SECOND_NS / 2 + 1e-6
    assert abs(played.reader.status.switched_ns - present_ns) <= REFRESH_NS / 2 + 1


def test_cuts_that_wait_for_their_moments_do_not_slow_the_playback(play: Play):
    played = play(0.5)
    played.pace = ChunkPace(RATE_FPS, played.ring.capacity)
    played.run(10)
    for _ in range(6):
        played.hard_cut(played.now_ns + int(1.4 * SECOND_NS))
        played.run(2.5)
        assert played.reader.status.playback_fps == pytest.approx(RATE_FPS, rel=0.04)


def test_the_light_of_a_slow_display_is_what_is_on_the_moment(play: Play):
    played = play(0.2)
    played.run(4)
    played.reader.display_lag_ns = 50_000_000
    present_ns = played.now_ns + SECOND_NS
    played.hard_cut(present_ns)
    played.run(2)
    assert abs(played.reader.status.switched_ns + 50_000_000 - present_ns) <= REFRESH_NS / 2 + 1


def test_what_is_left_of_the_old_stream_is_stretched_until_the_moment(play: Play):
    played = play(0.2)
    played.pace = ChunkPace(RATE_FPS, played.ring.capacity)
    played.run(6)
    since = played.now_ns / SECOND_NS
    played.hard_cut(played.now_ns + 2 * SECOND_NS)  # far longer than what is in hand
    played.run(1.9)
    steps = played.steps(since)
    assert steps.min() > 0.0, "slow, never still"
    assert played.reader.status.stream_id == 1


def test_a_cut_now_passes_one_that_waits_for_its_moment(play: Play):
    played = play(0.2)
    played.run(4)
    played.hard_cut(played.now_ns + 3 * SECOND_NS)
    played.run(1)
    assert played.reader.status.stream_id == 1
    played.hard_cut()
    played.run(1.2)
    assert played.reader.status.stream_id == 3


def test_two_dated_streams_are_shown_one_after_the_other(play: Play):
    played = play(0.1)
    played.pace = ChunkPace(RATE_FPS, played.ring.capacity)
    played.run(4)
    start_s = played.now_ns / SECOND_NS
    for ahead_s in (0.8, 1.3):
        played.hard_cut(played.now_ns + int(ahead_s * SECOND_NS))
        played.run(0.3)
    played.run(2)
    first_seen = {stream: at for at, stream, _ in reversed(played.positions)}
    assert first_seen[2] - start_s == pytest.approx(0.8, abs=0.02)
    assert first_seen[3] - start_s == pytest.approx(0.3 + 1.3, abs=0.02)


def test_a_moment_beyond_reason_is_not_waited_for(play: Play):
    played = play(0.2)
    played.run(4)
    played.hard_cut(played.now_ns + 10**15)
    played.run(1.5)
    assert played.reader.status.stream_id == 2


def test_slots_are_released_so_that_the_writer_goes_on(play: Play):
    played = play(0.1)
    played.run(10)
    assert played.ring.written > 3 * played.ring.capacity
    assert played.ring.written - played.ring.read <= played.ring.capacity


def test_a_replaced_ring_is_taken_over_without_a_gap(play: Play):
    played = play(0.3)
    played.run(3)
    played.new_engine()
    played.run(0.2)
    assert played.reader.picture_at(played.now_ns) is not None
    played.run(3)
    assert played.reader.status.frame_index > 16
    assert played.reader.status.repeats == 0
    assert played.reader.status.frame_index < 60  # counted from the new ring's beginning


def test_a_ring_that_vanishes_leaves_its_last_picture(play: Play):
    played = play(0.3)
    played.run(3)
    played.path.unlink()
    played.chunk_s = 1e6
    played.run(6)
    assert played.reader.picture_at(played.now_ns) is not None
    played.reader.close()
    assert played.reader.picture_at(played.now_ns + REFRESH_NS) is not None


def test_a_file_that_is_no_ring_is_ignored(tmp_path: Path):
    (tmp_path / "ring").write_bytes(b"x" * 8192)
    assert FrameReader(tmp_path / "ring").picture_at(SECOND_NS) is None


def test_the_display_rate_is_measured(play: Play):
    played = play(0.3)
    played.run(3)
    assert played.reader.status.display_fps == pytest.approx(60, rel=0.01)


def test_the_time_from_an_inputs_frame_to_the_picture_of_it(play: Play):
    played = play(0.3)
    played.run(2)
    assert played.reader.status.input_latency_s == 0.0
    played.input_age_ns = 400_000_000
    played.reader.display_lag_ns = 10_000_000
    played.run(5)
    status, first = played.reader.status, played.reader.frame_on_screen
    assert status.input_latency_s == pytest.approx((played.now_ns - first.input_ns) / SECOND_NS + 0.01, abs=STEP)
    assert 0.4 < status.input_latency_s < 3.0
    played.input_age_ns = 0
    played.run(5)
    assert played.reader.status.input_latency_s == 0.0
