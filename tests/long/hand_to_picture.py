"""From a prompt's datagram to the changed picture on the display, with ember and the real program under Xvfb."""

from __future__ import annotations

import itertools
import re
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from pythonosc.udp_client import SimpleUDPClient

from tests.servers.instrument import RunningVj, own_environment
from tests.servers.xvfb import XDisplay

PROMPTS = ("red plasma", "deep blue plasma")  # red less blue tells them apart
CHANGES = 8
CHUNK_S = 0.75  # twelve frames at 16 per second
SETTLE_S = 6.0  # between two changes; the colour has long arrived
VISIBLE = 0.25  # of the way from one prompt's colour to the other's
LIMIT_S = 10.0


def colour(display: XDisplay) -> float:
    """Red less blue of the display, -255..255."""
    return float((display.grab()[::8, ::8, 0].astype(np.int16) - display.grab()[::8, ::8, 2]).mean())


def settled(display: XDisplay) -> float:
    """The colour a second from now, on average."""
    time.sleep(SETTLE_S)
    seen = []
    for _ in range(20):
        seen.append(colour(display))
        time.sleep(0.05)
    return statistics.mean(seen)


def run(changes: int = CHANGES) -> dict[str, float | list[float]]:
    """Change the prompt to and fro; raises AssertionError when a change is never seen."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with XDisplay(folder) as display:
            words = ["run", "--fullscreen", "--osc", "0"]
            vj = RunningVj(words, own_environment(folder, display.env), folder)
            try:
                return _play(vj, display, changes)
            finally:
                vj.stop()


def _play(vj: RunningVj, display: XDisplay, changes: int) -> dict[str, float | list[float]]:
    vj.wait_for("OSC listens at")
    port = re.search(r"OSC listens at \S+:(\d+)", vj.output())
    assert port, vj.output()
    hand = SimpleUDPClient("127.0.0.1", int(port[1]))
    ends = []
    for prompt in PROMPTS:
        hand.send_message("/vj/prompt/1/text", prompt)
        time.sleep(SETTLE_S)
        ends.append(settled(display))
    assert abs(ends[0] - ends[1]) > 20.0, f"the two prompts look alike: {ends}"
    taken_s = []
    for prompt in itertools.islice(itertools.cycle(PROMPTS), changes):
        before = settled(display)
        target = before + VISIBLE * (ends[PROMPTS.index(prompt)] - before)
        began_s = time.monotonic()
        hand.send_message("/vj/prompt/1/text", prompt)
        while (colour(display) - target) * (target - before) < 0.0:
            assert time.monotonic() - began_s < LIMIT_S, f"{prompt!r} was not seen in {LIMIT_S} s"
            time.sleep(0.02)
        taken_s.append(round(time.monotonic() - began_s, 2))
    return {
        "seconds": taken_s,
        "median_s": statistics.median(taken_s),
        "largest_s": max(taken_s),
        "median_chunks": round(statistics.median(taken_s) / CHUNK_S, 2),
    }
