"""MIDI time code at its four rates: running, jittery, backwards, located, stopped."""

from __future__ import annotations

import random

import pytest

from vj.tempo.midi_timecode import RATES_FPS, Timecode, TimecodeFollower

SECOND_NS = 1_000_000_000


def timecode_of(frame: int, rate: int) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds, frames of a frame number, drop frame counted as a machine does: one by one."""
    fps = round(RATES_FPS[rate])
    if rate == 2:
        tens, rest = divmod(frame, 17982)
        frame += 18 * tens + (2 * ((rest - 2) // 1798) if rest >= 2 else 0)
    seconds, frames = divmod(frame, fps)
    return seconds // 3600, seconds // 60 % 60, seconds % 60, frames


class Master:
    """Sends quarter frames of a position that runs at real speed."""

    def __init__(self, rate: int, frame: int, jitter_ns: float = 0.0) -> None:
        self.follower = TimecodeFollower()
        self.rate, self.frame, self.jitter_ns = rate, frame, jitter_ns
        self.now_ns = 3.0 * SECOND_NS
        self._random = random.Random(2)

    def run(self, frames: int) -> None:
        """Play so many frames, two at a time; negative = backwards."""
        for _ in range(abs(frames) // 2):
            if frames < 0:
                self.frame -= 2
            hours, minutes, seconds, count = timecode_of(self.frame, self.rate)
            values = [count, seconds, minutes, hours | self.rate << 5]
            pieces = range(8) if frames > 0 else range(7, -1, -1)
            for piece in pieces:
                if frames < 0:
                    self.now_ns += SECOND_NS / RATES_FPS[self.rate] / 4
                nibble = values[piece // 2] >> (4 * (piece % 2)) & 15
                late_ns = self._random.uniform(0, self.jitter_ns)
                self.follower.receive([0xF1, piece << 4 | nibble], int(self.now_ns + late_ns))
                if frames > 0:
                    self.now_ns += SECOND_NS / RATES_FPS[self.rate] / 4
            if frames > 0:
                self.frame += 2

    @property
    def position_s(self) -> float:
        return self.frame / RATES_FPS[self.rate]

    @property
    def followed_s(self) -> float | None:
        return self.follower.position_s(int(self.now_ns))


def test_nothing_is_known_before_anything_came():
    assert TimecodeFollower().position_s(1) is None
    assert not TimecodeFollower().is_running(1)


@pytest.mark.parametrize("rate", [0, 1, 2, 3])
@pytest.mark.parametrize("frame", [0, 1790, 17980, 107_000])
def test_a_running_master_is_followed_at_every_rate(rate, frame):
    master = Master(rate, frame)
    master.run(40)
    assert master.followed_s == pytest.approx(master.position_s, abs=1e-3)
    assert master.follower.is_running(int(master.now_ns))


def test_jitter_moves_the_position_little():
    master = Master(1, 5000, jitter_ns=5_333_000)
    master.run(30)
    for _ in range(50):
        master.run(2)
        assert master.followed_s == pytest.approx(master.position_s - 0.0027, abs=0.0025)


def test_backwards_is_followed():
    master = Master(1, 5000)
    master.run(30)
    master.run(-60)
    assert master.followed_s == pytest.approx(master.position_s, abs=0.005)


def test_a_master_that_stops_is_still_and_one_that_moves_is_met():
    master = Master(3, 900)
    master.run(30)
    master.now_ns += 2 * SECOND_NS
    assert not master.follower.is_running(int(master.now_ns))
    assert master.followed_s == pytest.approx(master.position_s, abs=0.2)
    still_s = master.followed_s
    master.now_ns += SECOND_NS
    assert master.followed_s == still_s
    master.frame = 60_000
    master.run(8)
    assert master.followed_s == pytest.approx(master.position_s, abs=1e-3)


def test_a_full_frame_locates():
    master = Master(1, 10)
    master.run(20)
    master.follower.receive([0xF0, 0x7F, 0x7F, 1, 1, 1 << 5 | 1, 2, 3, 4, 0xF7], int(master.now_ns))
    assert master.followed_s == pytest.approx(3723 + 4 / 25)
    assert not master.follower.is_running(int(master.now_ns))


def test_a_lost_quarter_frame_costs_one_time_at_most():
    master = Master(1, 200)
    master.run(20)
    master.follower.receive([0xF1, 0x00], int(master.now_ns))
    master.now_ns += 3 * SECOND_NS / 100
    master.frame += 1
    master.frame += 1
    master.now_ns += 5 * SECOND_NS / 100
    master.run(8)
    assert master.followed_s == pytest.approx(master.position_s, abs=1e-3)


@pytest.mark.parametrize("message", [[], [0xF1], [0xF8], [0xF0, 0x7F, 0x7F, 1, 1], [0xF0] + [0] * 8 + [0xF7]])
def test_what_is_no_time_code_is_passed_over(message):
    follower = TimecodeFollower()
    follower.receive(message, 1)
    assert follower.position_s(2) is None


def test_drop_frame_leaves_out_two_numbers_a_minute():
    assert Timecode(0, 1, 0, 2, 2).position_s == pytest.approx(1800 * 1001 / 30000)
    assert Timecode(0, 10, 0, 0, 2).position_s == pytest.approx(17982 * 1001 / 30000)
