"""The mapped file through which an input's frames reach engine and stage."""

import numpy as np
import pytest

from engine.video_in.given import ChunkInputs, GivenFrames
from engine.video_in.input_ring import InputRing


def frame(value: int) -> np.ndarray:
    return np.full((4, 6, 4), value, np.uint8)


def test_frames_are_found_by_the_time_they_came(tmp_path):
    path = tmp_path / "input1.engine"
    writer = InputRing.create(path, width=6, height=4, capacity=5)
    reader = InputRing.attach(path)
    assert reader.newest() is None
    assert reader.serial_at(10**9) == 0
    for n in range(1, 9):
        writer.write(frame(n), 100 * n)
    assert reader.newest().pixels[0, 0, 0] == 8
    assert reader.read(reader.serial_at(650)).arrived_ns == 600
    assert reader.serial_at(10) == 5  # all are younger: the oldest that nobody is about to overwrite
    assert reader.read(2) is None


def test_a_reader_sees_that_a_writer_began_anew(tmp_path):
    path = tmp_path / "input1.engine"
    InputRing.create(path, width=6, height=4, capacity=3)
    reader = InputRing.attach(path)
    assert reader.is_current
    InputRing.create(path, width=8, height=4, capacity=3)
    assert not reader.is_current
    with pytest.raises(ValueError, match="holds 6x4 RGBA frames"):
        reader.write(np.zeros((4, 8, 4), np.uint8), 1)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="not an input ring"):
        InputRing.attach(path)


def test_an_input_is_asked_once_a_chunk():
    class Counting:
        asked = 0

        def take(self, frames: int, *, is_start: bool) -> GivenFrames:
            self.asked += 1
            return GivenFrames(np.zeros((frames, 4, 6, 4), np.uint8), tuple(range(1, frames + 1)))

    source = Counting()
    given = ChunkInputs({2: source}, 12, is_start=False)
    assert given.of(1) is None
    assert given.of(0) is None
    assert given.of(2) is given.of(2)
    assert (source.asked, given.newest_ns) == (1, 12)
