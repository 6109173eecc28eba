"""A live input as a chunk takes it: which frames, how long a lost one is held and faded, and that nothing stops it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.video_in.input_ring import InputRing, ring_name
from engine.video_in.ring_input import RingInput

RATE_FPS, SIZE, CAPACITY = 16.0, (8, 4), 64
SECOND = 1_000_000_000


class Desk:
    """A ring input with a clock that a test turns, and the capture process that writes for it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ring_name(2)
        self.now_ns = 100 * SECOND
        self.input = RingInput(folder, 2, RATE_FPS, SIZE, clock=lambda: self.now_ns)
        self.ring: InputRing | None = None
        self.written = 0

    def open(self, size: tuple[int, int] = SIZE) -> None:
        self.ring = InputRing.create(self.path, width=size[0], height=size[1], capacity=CAPACITY)

    def run(self, seconds: float, rate_fps: float = 32.0) -> None:
        """Let time pass, with frames that hold how many came before them."""
        for _ in range(round(seconds * rate_fps)):
            self.now_ns += int(SECOND / rate_fps)
            frame = np.full((self.ring.height, self.ring.width, 4), self.written, np.uint8)
            self.ring.write(frame, self.now_ns)
            self.written += 1

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND)

    def values(self, frames: int) -> list[int] | None:
        given = self.input.take(frames, is_start=False)
        return None if given is None else given.pixels[:, 0, 0, 0].tolist()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_nothing_is_given_before_anything_came(desk: Desk):
    assert desk.values(12) is None
    desk.open()
    assert desk.values(12) is None


def test_a_first_chunk_takes_its_own_time_up_to_now(desk: Desk):
    desk.open()
    desk.run(1.5)
    assert desk.values(12) == list(range(25, 48, 2)), "every second frame of a source twice as fast, the newest last"


def test_chunks_follow_each_other_without_a_gap_also_when_one_comes_late(desk: Desk):
    desk.open()
    desk.run(2.0)
    desk.values(12)
    desk.run(0.75)
    second = desk.values(12)
    assert second == list(range(65, 88, 2))
    desk.run(1.125)  # one and a half times the chunk's own time: it is all in there
    third = desk.values(12)
    assert third[-1] == desk.written - 1
    assert np.diff([second[-1], *third]).tolist() == [3] * 12


def test_after_a_long_pause_the_chunk_takes_the_newest_time_alone(desk: Desk):
    desk.open()
    desk.run(1.0)
    desk.values(12)
    desk.run(1.75)
    assert desk.values(12) == [desk.written - 1 - 2 * k for k in reversed(range(12))]


def test_a_slow_source_gives_its_newest_frame_again(desk: Desk):
    desk.open()
    desk.run(2.0, rate_fps=4.0)
    assert desk.values(12) == [4] * 3 + [5] * 4 + [6] * 4 + [7]


def test_each_frame_says_when_it_came(desk: Desk):
    desk.open()
    desk.run(1.0)
    given = desk.input.take(4, is_start=False)
    assert given.arrived_ns[-1] == desk.now_ns
    assert np.diff(given.arrived_ns).tolist() == [SECOND // 16] * 3


def test_a_lost_input_is_held_then_faded_then_gone_and_back_within_a_chunk(desk: Desk):
    desk.open()
    desk.run(1.0)
    desk.values(12)
    strengths = {}
    for tenth in range(1, 35):
        desk.wait(0.1)
        given = desk.input.take(12, is_start=False)
        strengths[tenth] = None if given is None else given.strength
        if given is not None and tenth > 8:
            assert (given.pixels == desk.written - 1).all(), "the last frame is held"
    assert all(strengths[tenth] == 1.0 for tenth in range(1, 10))
    assert strengths[20] == pytest.approx(0.5, abs=0.01)
    assert strengths[29] == pytest.approx(0.05, abs=0.01)
    assert strengths[31] is None
    assert strengths[34] is None
    desk.run(0.25)
    given = desk.input.take(12, is_start=False)
    assert given.strength == 1.0
    assert given.pixels[-1, 0, 0, 0] == desk.written - 1


def test_another_size_is_brought_to_the_streams(desk: Desk):
    desk.open((16, 12))
    desk.run(1.0)
    given = desk.input.take(12, is_start=False)
    assert given.pixels.shape == (12, 4, 8, 4)
    assert given.pixels[-1, 0, 0, 0] == desk.written - 1


def test_a_file_that_is_replaced_removed_or_spoilt_never_ends_the_stream(desk: Desk):
    desk.open()
    desk.run(1.0)
    desk.values(12)
    desk.open((24, 16))  # the source has another size: a new file, with nothing in it yet
    desk.wait(0.1)
    assert desk.values(12) == [31] * 12
    desk.run(0.5)
    assert desk.values(4) == [35, 39, 43, 47]
    desk.path.unlink()
    desk.wait(0.2)
    assert desk.values(4)[-1] == 47
    for spoilt in (b"", b"nonsense" * 700, desk.ring.path.name.encode() + bytes(5000)):
        desk.path.write_bytes(spoilt)
        desk.wait(0.1)
        assert desk.values(4)[-1] == 47
    desk.open()
    desk.run(0.5)
    assert desk.values(4)[-1] == desk.written - 1


def test_a_second_stream_takes_its_own_time(desk: Desk):
    desk.open()
    desk.run(2.0)
    other = desk.input.beside()
    desk.values(12)
    desk.run(0.25)
    assert other.take(12, is_start=True).pixels[-1, 0, 0, 0] == desk.written - 1
    desk.run(0.5)
    assert desk.values(12) == list(range(65, 88, 2)), "as if the other had not asked"
