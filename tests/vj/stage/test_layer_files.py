"""The real stage process with input files that are missing, strange, cut short or replaced all the time."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.video_in.input_ring import HEADER, MAGIC, InputRing, ring_name
from tests.servers.instrument import own_environment
from tests.servers.process import start_tied, stop_group, wait_until
from tests.servers.xvfb import XDisplay
from vj.output.layer_params import LayerParams
from vj.stage.block import BLOCK_NAME, StageBlock
from vj.stage.messages import Placement, StageState, Wishes, decode_state, encode

WIDE, HIGH = 160, 90
WINDOW = (0, 0, 480, 270)
PLACE = (slice(100, 170), slice(200, 280))  # of the display, in the middle of the window
REPLACED_EVERY_S = 0.05


class LoneStage:
    """A stage without panels' process: the test writes its wishes."""

    def __init__(self, folder: Path, display: XDisplay) -> None:
        self.folder, self.display = folder, display
        self.path = folder / ring_name(1, "layer")
        self._block = StageBlock.create(folder / BLOCK_NAME)
        values = {"/vj/layer/1/input": 1, "/vj/layer/1/key": False}
        placed = Placement(serial=1, window=WINDOW)
        self._wishes = Wishes(values=values, placements=(placed,), panels_ns=time.monotonic_ns())
        self._block.wishes.write(encode(self._wishes))
        self.log = folder / "stage.log"
        command = [sys.executable, "-m", "vj.stage", str(folder)]
        self.process = start_tied(command, self.log, own_environment(folder, display.env))
        wait_until(lambda: self.state().status.display_fps > 5.0 and self.seen().max() > 0, "the stage's picture", 20.0)

    def state(self) -> StageState:
        data = self._block.state.read()
        return decode_state(data) if data else StageState()

    def seen(self) -> np.ndarray:
        return self.display.grab()[PLACE]

    def fps(self, seconds: float) -> float:
        """The stage's own count at the end of a stretch."""
        time.sleep(seconds)
        return self.state().status.display_fps

    def give(self, brightness: int, width: int = WIDE, height: int = HIGH) -> InputRing:
        """Make the file anew, with one frame."""
        ring = InputRing.create(self.path, width=width, height=height, capacity=3)
        ring.write(np.full((height, width, 4), brightness, np.uint8), time.monotonic_ns())
        return ring


@pytest.fixture
def stage(tmp_path: Path, display: XDisplay) -> Iterator[LoneStage]:
    stage = LoneStage(tmp_path, display)
    yield stage
    stop_group(stage.process)


def hostile(stage: LoneStage) -> Iterator[None]:
    """One strange file after the other."""
    header = HEADER.pack(MAGIC, WIDE, HIGH, 3, 1, 7)
    for turn in itertools.count():
        kind = turn % 7
        with contextlib.suppress(OSError):
            if kind == 0:
                stage.give(60, WIDE + 2 * (turn % 5), HIGH).close()
            elif kind == 1:
                os.truncate(stage.path, 5000)  # the file that was whole just now
            elif kind == 2:
                stage.path.write_bytes(header)
            elif kind == 3:
                stage.path.write_bytes(HEADER.pack(MAGIC, 2**32 - 1, 2**32 - 1, 2**32 - 1, 1, 1).ljust(8192, b"\1"))
            elif kind == 4:
                stage.path.unlink()
            elif kind == 5:
                stage.give(90).close()
            else:
                stage.path.write_bytes(os.urandom(100_000))
        yield


def test_a_written_frame_is_on_the_display_and_a_hostile_file_stops_nothing(stage: LoneStage):
    ring = stage.give(200)
    wait_until(lambda: np.abs(stage.seen().astype(int) - 200).max() <= 1, "the layer", 5.0)
    before = stage.fps(0.7)
    strange, end = hostile(stage), time.monotonic() + 2.5
    while time.monotonic() < end:
        next(strange)
        time.sleep(REPLACED_EVERY_S)
        assert stage.process.poll() is None, stage.log.read_text()
    during = stage.fps(0.1)
    assert during > 0.6 * before, (before, during)
    assert time.monotonic_ns() - stage.state().time_ns < 500_000_000
    stage.give(140)
    wait_until(lambda: np.abs(stage.seen().astype(int) - 140).max() <= 1, "the layer that came back", 5.0)
    assert "fault" not in stage.log.read_text()
    ring.close()


def test_the_declared_layers_reach_the_stage() -> None:
    assert LayerParams.from_values({"/vj/layer/2/blend": "add", "/vj/layer/picture/key": 0.25}) == LayerParams(
        blend=("normal", "add"), picture_key=0.25
    )
