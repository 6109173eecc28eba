"""Panels killed and panels hung, at random moments: the output goes on, and the next `vj run` finds it in seconds.

Hung ones are stopped (SIGSTOP) long enough to count as gone; who takes their place ends them.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from pathlib import Path

from tests.long.engine_kills import COLOUR_TOLERANCE, add_sight, colour_shares, spread
from tests.servers.stamp_watch import Sight, StampWatch
from tests.servers.watched_show import LONGEST_STILL_S, WatchedShow, watched_show
from vj.presets.repertoire import AUTOSAVE_EVERY_S

TIMES = 5
SEED = 8
BETWEEN_S = (0.5, 3.0)
GONE_S = {signal.SIGKILL: (0.2, 4.0), signal.SIGSTOP: (5.0, 8.0)}  # before others are started: by hand, in the dark
ATTACHED_S = 8.0  # a program of Qt's on a cold machine, and the stream in it
PLAYED = {"/vj/effect/hue": 0.75, "/vj/output/fade": 0.3}  # what only a hand sets, as fader positions


def run(times: int = TIMES) -> dict[str, object]:
    """Do away with panels so often each way; raises AssertionError when the audience or the performer notices."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # what was played comes back from the autosave: these panels begin as a performer's do, not fresh
        show, watch = stack.enter_context(watched_show(folder, is_fresh=False))
        figures = lose_panels(show, watch, times)
    judge(figures)
    return figures


def lose_panels(show: WatchedShow, watch: StampWatch, times: int) -> dict[str, object]:
    """Kill and stop panels in turn; returns the figures of both."""
    rng = random.Random(SEED)
    for address, value in PLAYED.items():
        show.send(address, value)
    time.sleep(AUTOSAVE_EVERY_S + 2.0)
    colour, stage_id, drift = colour_shares(watch), show.stage_id, 0.0
    values = {address: show.values()[address] for address in PLAYED}
    lost: list[str] = []
    figures: dict[str, object] = {}
    for kind in (signal.SIGKILL, signal.SIGSTOP):
        total, attached_s, streams_s = Sight(), [], []
        watch.take()
        for number in range(times):
            time.sleep(rng.uniform(*BETWEEN_S))
            before = show.vj.process
            os.kill(before.pid, kind)
            if kind == signal.SIGKILL:
                before.wait()
            time.sleep(rng.uniform(*GONE_S[kind]))
            began = time.monotonic()
            show.replace_panels()
            attached_s.append(time.monotonic() - began)
            assert before.wait(5.0) is not None, f"panels {number + 1} that hung were not ended"
            show.wait_live(30.0)
            streams_s.append(time.monotonic() - began)
            time.sleep(0.6)  # until the crossfade is over
            drift = max(drift, float(abs(colour_shares(watch) - colour).max()))
            assert show.is_running(stage_id), "the output is another process now"
            lost += [address for address, value in values.items() if show.values().get(address) != value]
            add_sight(total, watch.take())
        figures["killed" if kind == signal.SIGKILL else "stopped"] = {
            "times": times,
            **total.figures(),
            "attached_s": spread(attached_s),
            "streams_s": spread(streams_s),
        }
    return figures | {
        "values_lost": lost,
        "colour_drift": round(drift, 3),
        "machine_load": round(os.getloadavg()[0], 1),
    }


def judge(figures: dict[str, object]) -> None:
    """Raise AssertionError with the figures when one is over its limit."""
    for kind in ("killed", "stopped"):
        found = figures[kind]
        assert found["black_looks"] == 0, f"black: {figures}"
        assert found["torn_frames"] == 0, f"torn: {figures}"
        assert found["longest_still_ms"] <= 1e3 * LONGEST_STILL_S, f"a still picture: {figures}"
        assert found["attached_s"]["p95"] <= ATTACHED_S, f"late: {figures}"
    assert not figures["values_lost"], f"values: {figures}"
    assert figures["colour_drift"] <= COLOUR_TOLERANCE, f"not the same prompts: {figures}"
