"""A wave over the output's level, as the audience sees it: the real command, OSC, and what is on the display."""

from __future__ import annotations

import re
import time

import numpy as np
from pythonosc.udp_client import SimpleUDPClient

BPM = 60.0  # a bar of four seconds: a busy machine's late frames do not blur it
PERIOD_S = 4.0
MEASURED_S = 6.0
MIDDLE_GREY = 127.5


def test_a_wave_over_the_level_follows_the_beat(start_vj, display):
    vj = start_vj("run", "--model", "test-pattern", "--fullscreen", "--osc", "127.0.0.1:0", display=display)
    vj.wait_for("OSC listens at")
    port = re.search(r"OSC listens at \S+:(\d+)", vj.output())
    with SimpleUDPClient("127.0.0.1", int(port[1])) as hand:
        hand.send_message("/vj/clock/bpm/raw", BPM)
        hand.send_message("/vj/effect/contrast/raw", 0.0)  # an even middle grey: brightness is the level
        slot = {"target": "/vj/output/level", "source": "lfo", "shape": "triangle", "period": "1 bar"}
        for name, value in slot.items():
            hand.send_message(f"/vj/mod/3/{name}", value)
        hand.send_message("/vj/mod/3/depth/raw", -0.8)
        hand.send_message("/vj/mod/3/on", 1)
        time.sleep(1.5)
        hand.send_message("/vj/clock/resync", 1)
        bar_s = time.monotonic()
        seen = []
        while time.monotonic() < bar_s + MEASURED_S:
            seen.append((time.monotonic() - bar_s, display.grab()[300:420, 500:780].mean()))
            time.sleep(0.02)
        measured = np.array(seen)[10:]
        lags_s = np.arange(-1.0, 1.0, 0.01)
        waves = 1 - np.abs(2 * ((measured[:, :1] - lags_s) / PERIOD_S % 1) - 1)
        errors = np.abs(MIDDLE_GREY * (1 - 0.8 * waves) - measured[:, 1:]).mean(axis=0)
        assert abs(lags_s[errors.argmin()]) < 0.15
        assert errors.min() < 6.0
        hand.send_message("/vj/mod/3/on", 0)
        deadline_s = time.monotonic() + 10.0
        while abs(display.grab()[300:420, 500:780].mean() - MIDDLE_GREY) > 1.5:
            assert time.monotonic() < deadline_s, "the base is where it was"
            time.sleep(0.02)
    assert vj.stop() == 0
