"""The engine process with a real input file that changes size, is spoilt, goes away and comes back: it streams on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.frame_ring import Frame, FrameRing
from engine.messages import Command, Done, Failure, Ready, Values
from engine.video_in.input_ring import InputRing, ring_name
from tests.engine.small_model import write_small_model
from tests.engine.test_worker import Worker
from tests.engine.video_in.drawn_input import drawn_frame

RATE_FPS = 32.0
PATIENCE_S = 60.0


class Camera:
    """Writes drawn frames into an input's file, as the capture process does, until it is stopped."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self.ring = InputRing.create(folder / ring_name(1), width=size[0], height=size[1], capacity=64)
        self.began_ns = time.monotonic_ns()
        self._size = size
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._end.wait(1 / RATE_FPS):
            self.ring.write(drawn_frame(number, self._size), time.monotonic_ns())
            number += 1

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        self.ring.close()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    model = write_small_model(tmp_path / "small")
    worker = Worker(tmp_path, "--model", str(model / "model.toml"), "--device", "cpu", "--threads", "1")
    yield worker
    worker.close()


def newest_when(ring: FrameRing, is_so: Callable[[Frame], bool]) -> Frame:
    """Play on until the newest frame is so."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        frame = ring.peek(ring.written - 1) if ring.written else None
        ring.release(ring.written)
        if frame is not None and is_so(frame):
            return frame
        time.sleep(0.01)
    raise AssertionError(f"it does not come; the newest frame is {frame and (frame.index, frame.input_ns)}")


def test_the_stream_goes_on_whatever_becomes_of_its_input(worker: Worker, tmp_path: Path) -> None:
    worker.wait_for(Ready)
    ring = FrameRing.attach(worker.ring_path)
    worker.send(Values(1, {"/vj/input/on": True, "/vj/input/noise": 0.3, "/vj/model/chunk": 1}))
    first = newest_when(ring, lambda frame: frame.params_version == 1)
    assert first.input_ns == 0, "there is no file yet"
    frames = [first]
    for size in ((48, 32), (96, 80)):  # the second one in place of the first, which wrote until then
        camera = Camera(tmp_path, size)
        frames.append(newest_when(ring, lambda frame, since=camera.began_ns: frame.input_ns > since))
        camera.stop()
    (tmp_path / ring_name(1)).unlink()
    (tmp_path / ring_name(1)).write_bytes(b"no ring" * 1000)
    frames.append(newest_when(ring, lambda frame: frame.input_ns == 0))
    (tmp_path / ring_name(1)).unlink()
    camera = Camera(tmp_path, (48, 32))
    frames.append(newest_when(ring, lambda frame: frame.input_ns > camera.began_ns))
    camera.stop()
    worker.send(Command(9, "stop"))
    said = worker.rest()
    assert Done(9) in said
    assert not [message for message in said if isinstance(message, Failure)]
    assert {frame.stream_id for frame in frames} == {1}
    assert [frame.index for frame in frames] == sorted(frame.index for frame in frames)
