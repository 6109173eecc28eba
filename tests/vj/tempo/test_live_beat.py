"""The real command, played by OSC: cuts wait for the beat and are seen on one common grid."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pythonosc.udp_client import SimpleUDPClient

from tests.servers.xvfb import XDisplay
from tests.vj.tempo.beat_stage import FRAME_NS
from tests.vj.tempo.lamp import LampWitness

BEAT_MS = 500.0  # at 120 BPM
CUTS = 3


@pytest.fixture
def small_display(tmp_path: Path) -> Iterator[XDisplay]:
    with XDisplay(tmp_path, 640, 360) as display:
        yield display


def test_cuts_by_osc_are_seen_on_the_grid_of_the_beat(start_vj, small_display: XDisplay):
    vj = start_vj("run", "--fullscreen", "--model", "test-pattern@40", display=small_display)
    vj.wait_for("OSC listens at")
    port = int(re.search(r"OSC listens at \S+:(\d+)", vj.output())[1])
    witness = LampWitness(small_display.framebuffer)
    lights = witness.lights
    try:
        time.sleep(4.5)  # the engine starts, the picture before the first frame fades
        seen_ms = []
        with SimpleUDPClient("127.0.0.1", port) as hand:
            hand.send_message("/vj/clock/quantise", "beat")
            for k in range(CUTS):
                time.sleep(0.37 + 0.21 * k)
                lit_before, end_s = len(lights), time.monotonic() + 15.0
                hand.send_message("/vj/cut/hard", 1)
                hand.send_message("/vj/cut/hard", 1)  # twice while it waits is one cut
                while len(lights) == lit_before:
                    assert time.monotonic() < end_s, vj.output()
                    time.sleep(0.01)
                seen_ms.append(lights[lit_before] / 1e6)
    finally:
        witness.stop()
    apart_ms = [later - seen_ms[0] for later in seen_ms[1:]]
    off_ms = [abs(apart - BEAT_MS * round(apart / BEAT_MS)) for apart in apart_ms]
    # two lights, each within a frame of its beat; a busy machine may miss a refresh at one of them
    assert min(off_ms) <= 3 * FRAME_NS / 1e6, (apart_ms, off_ms)
    assert vj.stop() == 0
