"""The output while a model computes at full load on the other core: late swaps, and the rate the content plays at.

An X server in memory has no vertical blank: the output keeps 60 Hz by the clock, and lateness is against that grid.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from engine.frame_stamp import NUMBERS
from tests.servers.instrument import ROOT
from tests.servers.process import start_tied, stop_group
from tests.servers.stamp_watch import Sight
from tests.servers.timed_vj import read_swaps
from tests.servers.watched_show import watched_show

SECONDS = 600.0
PERIOD_MS = 1000.0 / 60.0
LATE_P99_MS = 8.0
RATE_FPS = 16.0  # of the stamped test pattern
RATE_TOLERANCE = 0.001
LOAD = """
from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import ChunkParams
generator = load_generator(load_preset("ember"), device="cpu", dtype="float32", threads=1)
while True:
    generator.generate_chunk(ChunkParams().with_prompts(("violet smoke",)))
"""


def run(seconds: float = SECONDS) -> dict[str, object]:
    """Measure for so long; raises AssertionError when swaps are late or the content drifts."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        model = start_tied([sys.executable, "-c", LOAD], folder / "load.log", env, cwd=ROOT)
        stack.callback(stop_group, model)
        show, watch = stack.enter_context(watched_show(folder, timed=folder / "swaps.bin"))
        time.sleep(10.0)  # the clock has found the generator's rate
        watch.take()
        began_ns = time.monotonic_ns()
        time.sleep(seconds)
        ended_ns, sight = time.monotonic_ns(), watch.take()
        assert model.poll() is None, (folder / "load.log").read_text()[-1000:]
        time.sleep(1.0)  # until the last swaps are written
        swaps = read_swaps(folder / "swaps.bin")
        inside = swaps[(swaps >= began_ns) & (swaps <= ended_ns)]
        figures = {**lateness(inside), **content_rate(sight), **sight.figures(), "machine_load": os.getloadavg()[0]}
    assert figures["late_p99_ms"] <= LATE_P99_MS, f"late swaps: {figures}"
    assert abs(figures["content_rate"] - 1.0) <= RATE_TOLERANCE, f"the content drifts: {figures}"
    return figures


def lateness(swaps_ns: np.ndarray) -> dict[str, float]:
    """How much later than one period after the swap before each swap came back."""
    times_ms = np.diff(swaps_ns) / 1e6
    late_ms = np.maximum(0.0, times_ms - PERIOD_MS)
    p50, p99 = (float(x) for x in np.percentile(late_ms, [50, 99]))
    return {
        "swaps": len(swaps_ns),
        "swaps_per_s": round(1000.0 / float(times_ms.mean()), 2),
        "late_p50_ms": round(p50, 2),
        "late_p99_ms": round(p99, 2),
        "late_longest_ms": round(float(late_ms.max()), 1),
    }


def content_rate(sight: Sight) -> dict[str, float]:
    """Frames played per second of clock as a share of the rate, by the slope of stamps over time."""
    at, number = (np.array(row, float) for row in zip(*sight.numbers, strict=True))
    steps = np.diff(number)
    steps = np.where(steps < -NUMBERS / 2, steps + NUMBERS, steps)
    slope = np.polyfit(at, np.concatenate([[0.0], np.cumsum(steps)]), 1)[0]
    return {"content_rate": round(float(slope) / RATE_FPS, 5), "longest_step_frames": int(steps.max())}
