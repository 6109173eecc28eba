"""What the first output shows, read back into the ring of pictures: of real windows on a real display."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PyQt6.QtTest import QTest

from engine.video_in.input_ring import InputRing
from tests.servers.xvfb import XDisplay
from vj.output.continuity import Continuity
from vj.output.frame_reader import FrameReader
from vj.output.params import OutputParams
from vj.output.shared_scenes import SharedScenes
from vj.output.tap import OutputTap
from vj.output.tap_writing import ring_capacity
from vj.stage.messages import Placement
from vj.stage.outputs import Outputs
from vj.stage.picture_demand import PictureDemand

WIDTH, HEIGHT = 320, 180
WAIT_S = 5.0


def wait_for(is_so: Callable[[], bool]) -> None:
    """Let the windows draw until it is so."""
    end_s = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end_s
        QTest.qWait(10)


def newest(path: Path) -> InputRing:
    wait_for(path.exists)
    ring = InputRing.attach(path)
    wait_for(lambda: ring.written > 3)
    return ring


def _is_seen(display: XDisplay, ring: InputRing) -> bool:
    """Whether what is on the display is one of the pictures kept, bit for bit."""
    seen = display.grab()[:HEIGHT, :WIDTH]
    QTest.qWait(100)  # it is read back by the next refreshes
    kept = (ring.read(serial) for serial in range(ring.written, max(0, ring.written - 20), -1))
    return any(frame is not None and np.array_equal(frame.pixels[..., :3], seen) for frame in kept)


def test_the_ring_holds_what_is_seen_while_it_is_wanted(qt_application, display: XDisplay, tmp_path: Path):
    path = tmp_path / "output.pictures"
    tap, shown = OutputTap(path), [OutputParams(test_card=True)]
    outputs = Outputs(SharedScenes(Continuity(FrameReader(tmp_path / "ring"))), lambda number: shown[0], tap)
    outputs.place([Placement(1, 1, window=(0, 0, WIDTH, HEIGHT))])
    QTest.qWait(200)
    assert not path.exists()
    tap.is_wanted = True
    ring = newest(path)
    seen = display.grab()[:HEIGHT, :WIDTH]
    frame = ring.newest()
    assert np.abs(frame.pixels[..., :3].astype(int) - seen).max() <= 1  # the grain of the display
    assert 0 <= time.monotonic_ns() - frame.arrived_ns < 1e9
    moments = [ring.arrived_ns(serial) for serial in range(frame.serial - 2, frame.serial + 1)]
    assert moments == sorted(set(moments))

    shown[0] = replace(shown[0], rotation="180")  # placing is the display's own affair
    QTest.qWait(200)
    assert np.array_equal(ring.newest().pixels[..., :3], frame.pixels[..., :3])
    shown[0] = OutputParams(blackout=True)
    wait_for(lambda: not ring.newest().pixels[..., :3].any())
    shown[0] = OutputParams()  # the picture from before the stream
    wait_for(lambda: ring.newest().pixels[..., :3].any())
    wait_for(lambda: _is_seen(display, ring))

    outputs.place([Placement(2, 1, window=(0, 0, WIDTH, 200))])
    wait_for(lambda: not ring.is_current)
    assert newest(path).height == 200
    tap.is_wanted = False
    wait_for(lambda: not path.exists())
    outputs.close()
    QTest.qWait(20)


def test_a_full_place_is_told_and_the_picture_goes_on(qt_application, tmp_path: Path):
    tap = OutputTap(tmp_path / "gone" / "output.pictures")
    outputs = Outputs(SharedScenes(Continuity(FrameReader(tmp_path / "ring"))), lambda number: OutputParams(), tap)
    outputs.place([Placement(1, 1, window=(0, 0, WIDTH, HEIGHT))])
    tap.is_wanted = True
    wait_for(lambda: bool(tap.problem))
    assert "no room for the output's pictures" in tap.problem
    fps = outputs.facts()[0].fps
    assert fps > 0.0
    outputs.close()
    QTest.qWait(20)


def test_half_a_second_is_kept_within_256_mb():
    assert ring_capacity(WIDTH, HEIGHT) == 30
    assert ring_capacity(1920, 1080) * 1920 * 1080 * 4 <= 256 << 20
    assert ring_capacity(7680, 4320) == 4


def test_pictures_are_wanted_while_anybody_wants_them():
    said: list[bool] = []
    demand = PictureDemand()
    demand.want("recording", True)
    demand.tell(said.append)
    demand.want("sender ndi", True)
    demand.want("recording", False)
    demand.want("recording", False)
    assert demand.wanters == {"sender ndi"}
    demand.want("sender ndi", False)
    assert said == [True, False]
