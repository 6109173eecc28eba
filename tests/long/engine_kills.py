"""The engine killed again and again at random moments: the picture never breaks, and the stream is soon back.

Every look at the display counts, from the first kill to the last return.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.servers.stamp_watch import Sight, StampWatch
from tests.servers.watched_show import LONGEST_STILL_S, WatchedShow, watched_show
from vj.output.playback import PlaybackStatus

KILLS = 100
SEED = 4
BETWEEN_S = (0.8, 4.0)  # after a return; less than the loop of the last good seconds is long, and more
BACK_S = 3.0
COLOUR_TOLERANCE = 0.12  # of the share each of red, green and blue has: the same prompts are the same colour


def kill_engines(show: WatchedShow, watch: StampWatch, kills: int, between_s: tuple[float, float]) -> dict[str, object]:
    """Kill it so often; returns the figures with the times until the stream was back."""
    rng = random.Random(SEED)
    colour = colour_shares(watch)
    back_s, drift, worst = [], 0.0, []
    total = Sight()
    watch.take()
    for number in range(kills):
        time.sleep(rng.uniform(*between_s))
        victim = show.engine_id()
        assert victim is not None, f"no engine before kill {number + 1}: {show.vj.output()[-2000:]}"
        began, shown = time.monotonic(), show.state().status.generation_id
        os.kill(victim, signal.SIGKILL)
        while not _plays_anew(show.state().status, shown):
            assert time.monotonic() - began < 40.0, f"kill {number + 1}: no stream again: {show.vj.output()[-2000:]}"
            time.sleep(0.02)
        back_s.append(time.monotonic() - began)
        time.sleep(0.6)  # until the crossfade is over
        drift = max(drift, float(np.abs(colour_shares(watch) - colour).max()))
        seen = watch.take()
        worst.append(seen.longest_still_s)
        add_sight(total, seen)
    load = [round(x, 1) for x in os.getloadavg()]
    return {
        "kills": kills,
        **total.figures(),
        "back_s": spread(back_s),
        "longest_still_after_each_kill_ms": spread([1e3 * s for s in worst], 0),
        "colour_drift": round(drift, 3),
        "machine_load": load,
    }


def _plays_anew(status: PlaybackStatus, shown: int) -> bool:
    """Whether a chunk of another engine is on the display: each counts its chunks from 0."""
    return status.state == "live" and status.generation_id < shown


def run(kills: int = KILLS, model: str = "test-pattern+stamp", between_s: tuple[float, float] = BETWEEN_S) -> dict:
    """Kill it and judge; raises AssertionError when anybody would have noticed."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        is_stamped = "stamp" in model
        show, watch = stack.enter_context(watched_show(folder, model, is_stamped=is_stamped))
        figures = {"model": model, **kill_engines(show, watch, kills, between_s)}
    judge(figures)
    return figures


def judge(figures: dict[str, object]) -> None:
    """Raise AssertionError with the figures when one is over its limit."""
    assert figures["black_looks"] == 0, f"black: {figures}"
    assert figures["torn_frames"] == 0, f"torn: {figures}"
    assert figures["longest_still_ms"] <= 1e3 * LONGEST_STILL_S, f"a still picture: {figures}"
    assert figures["back_s"]["longest"] <= BACK_S, f"late: {figures}"
    assert figures["colour_drift"] <= COLOUR_TOLERANCE, f"not the same prompts: {figures}"


def colour_shares(watch: StampWatch) -> np.ndarray:
    """Share of red, green and blue in what is on the display, (3,), sum 1."""
    colour = watch.mean_colour()
    return colour / max(1.0, float(colour.sum()))


def add_sight(total: Sight, seen: Sight) -> None:
    """Take one stretch of time into the account of all."""
    total.looks += seen.looks
    total.seconds += seen.seconds
    total.black += seen.black
    total.torn += seen.torn
    total.half_copied += seen.half_copied
    total.longest_still_s = max(total.longest_still_s, seen.longest_still_s)
    total.longest_blind_s = max(total.longest_blind_s, seen.longest_blind_s)
    total.look_cost_ms = max(total.look_cost_ms, seen.look_cost_ms)


def spread(values: list[float], digits: int = 2) -> dict[str, float]:
    """Median, 95th percentile and the longest, for a report."""
    median, p95 = np.percentile(values, [50, 95])
    named = {"median": median, "p95": p95, "longest": max(values)}
    return {name: round(float(value), digits) for name, value in named.items()}
