"""What travels with a frame through the ring file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine.chunk import Chunk
from engine.frame_ring import SLOT, SLOT_SPACE_BYTES, FrameRing


@pytest.fixture
def ring(tmp_path: Path) -> FrameRing:
    return FrameRing.create(tmp_path / "ring", width=4, height=2, rate_fps=16.0, capacity=4, process_id=1)


def chunk(stream_id: int, present_ns: int = 0, count: int = 2) -> Chunk:
    return Chunk(np.full((count, 2, 4, 4), stream_id, np.uint8), stream_id, 0, 16.0, 5, 6, 7, present_ns)


def test_a_frame_keeps_everything_its_chunk_said(ring: FrameRing):
    ring.write(chunk(3, present_ns=2**60))
    frame = ring.peek(1)
    assert (frame.stream_id, frame.index, frame.rate_fps) == (3, 1, 16.0)
    assert (frame.generation_id, frame.params_version, frame.made_ns, frame.present_ns) == (5, 6, 7, 2**60)
    assert (frame.pixels == 3).all()


def test_the_moment_of_a_stream_is_read_without_its_pixels(ring: FrameRing):
    ring.write(chunk(1))
    ring.write(chunk(2, present_ns=99))
    assert [ring.present_ns_of(counter) for counter in range(4)] == [0, 0, 99, 99]
    ring.release(4)
    ring.write(chunk(3))
    assert ring.present_ns_of(2) == 99
    assert ring.present_ns_of(0) == 0, "overwritten: nothing is known of it"


def test_a_frame_says_when_its_input_came(ring: FrameRing):
    ring.write(chunk(1))
    made = chunk(1)
    times = tuple(range(5, 5 + len(made.frames)))
    ring.write(dataclasses.replace(made, input_ns=times))
    frames = [ring.peek(counter) for counter in range(ring.written)]
    assert [frame.input_ns for frame in frames] == [*[0] * len(times), *times]


def test_what_is_said_of_a_frame_has_room_in_its_slot():
    assert SLOT.size <= SLOT_SPACE_BYTES


def test_a_ring_of_another_version_is_refused(ring: FrameRing):
    ring.path.write_bytes(b"VJRING01" + bytes(8192))
    with pytest.raises(ValueError, match="not a frame ring of this version"):
        FrameRing.attach(ring.path)
