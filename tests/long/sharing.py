"""The picture on its way to another program by NDI: order, rate, loss, quality, delay, and what it costs the display.

A second process receives. The first part writes the output's ring itself, the second is the real show.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.long import JudgedError
from tests.long.pacing import PERIOD_MS
from tests.servers.given_output import RING_NAME, GivenOutput
from tests.servers.ndi_library import find_library
from tests.servers.ndi_watch import NdiWatch, loopback_ndi
from tests.servers.process import wait_until
from tests.servers.timed_vj import read_swaps
from tests.servers.watched_show import watched_show
from vj.parameters import ParameterStore
from vj.sharing.desk import SharingDesk

SIZES = ((640, 360, 60.0), (1280, 720, 60.0), (1920, 1080, 30.0), (1920, 1080, 60.0))
SECONDS = 10.0
DISPLAY_S = 10.0  # of each turn
TURNS = 3  # without sending and with
SETTLE_S = 4.0
NAME = "VJ Long"
START_S = 30.0
LEAST_PSNR_DB = 38.0
MOST_LATER = 1.5  # the display's 99th percentile with a receiver over that without
LEAST_QUIET_MS = 2.0  # late in the middle, without sending: the display keeps its rate
FLOOR_MS = 1.0  # below it a ratio says nothing


def run(seconds: float = SECONDS, display_s: float = DISPLAY_S) -> dict[str, object]:
    """Measure every size, then the display; raises JudgedError with the figures."""
    assert find_library() is not None, "needs the extra ndi: pip install 'vj[ndi]'"
    ways = {}
    for width, height, rate in SIZES:
        ways[f"{width}x{height} at {rate:g}"] = measure_way(width, height, rate, seconds)
    figures = {"ways": ways, "display": measure_display(display_s), "machine_load": round(os.getloadavg()[0], 2)}
    first = next(iter(ways.values()))
    if first["lost"] or first["out_of_order"] or first["psnr_least_db"] < LEAST_PSNR_DB:
        raise JudgedError("pictures were lost or spoiled", figures)
    if figures["display"]["is_judged"] and figures["display"]["p99_ratio"] > MOST_LATER:
        raise JudgedError("sending holds up the display", figures)
    return figures


def measure_way(width: int, height: int, rate_fps: float, seconds: float) -> dict[str, float]:
    """Send pictures of a size at a rate to one receiver for so long."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=_memory())))
        _stay_here(folder)
        store = ParameterStore()
        store.set_many({"/vj/share/ndi/on": True, "/vj/share/ndi/name": NAME}, "test")
        desk = SharingDesk(store.snapshot, folder / RING_NAME, lambda who, is_wanted: None, print, folder / "logs")
        desk.follow_display(lambda: rate_fps)
        given = stack.enter_context(GivenOutput(folder, (width, height), rate_fps))
        desk.start()
        stack.callback(desk.stop)
        wait_until(lambda: desk.states["ndi"].state == "sending", "a sender", START_S)
        alone = _cpu_share(desk.states["ndi"].process_id, 2.0)
        with NdiWatch(NAME, seconds, dict(os.environ)) as watch:
            wait_until(lambda: desk.states["ndi"].receivers == 1, "a receiver", START_S)
            dropped = desk.states["ndi"].dropped
            busy = _cpu_share(desk.states["ndi"].process_id, seconds / 2)
            seen = watch.result(seconds + START_S)
        dropped = desk.states["ndi"].dropped - dropped
    return judge(seen, given) | {"dropped_by_sender": dropped, "cpu_alone": alone, "cpu_with_receiver": busy}


def judge(seen: dict, given: GivenOutput) -> dict[str, float]:
    """Say what came of what was written."""
    pictures = seen["pictures"]
    numbers = [one["number"] for one in pictures]
    steps = [late - early for early, late in itertools.pairwise(numbers)]
    span_s = (pictures[-1]["moment_ns"] - pictures[0]["moment_ns"]) / 1e9
    written_s = (given.moments_ns[numbers[-1]] - given.moments_ns[numbers[0]]) / 1e9
    delays_ms = [(one["moment_ns"] - given.moments_ns[one["number"]]) / 1e6 for one in pictures]
    p50, p95 = (round(float(x), 2) for x in np.percentile(delays_ms, [50, 95]))
    return {
        "received": len(numbers),
        "lost": sum(step - 1 for step in steps if step > 1),
        "out_of_order": sum(step < 1 for step in steps),
        "written_fps": round((numbers[-1] - numbers[0]) / written_s, 2),
        "received_fps": round((len(numbers) - 1) / span_s, 2),
        "told_rate": pictures[0]["rate"],
        "psnr_least_db": min(seen["psnr_db"]),
        "psnr_mean_db": round(float(np.mean(seen["psnr_db"])), 2),
        "delay_p50_ms": p50,
        "delay_p95_ms": p95,
    }


def measure_display(seconds: float) -> dict[str, object]:
    """Late swaps of the real show while nothing is sent and while a receiver takes it, in turns: machines change."""
    quiet: list[np.ndarray] = []
    sent: list[np.ndarray] = []
    rates = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _stay_here(folder)
        show, _ = stack.enter_context(watched_show(folder, timed=folder / "swaps.bin"))
        show.send("/vj/share/ndi/name", NAME)
        for _ in range(TURNS):
            show.send("/vj/share/ndi/on", 0)
            time.sleep(SETTLE_S)
            quiet.append(_late_ms(folder, seconds))
            show.send("/vj/share/ndi/on", 1)
            with NdiWatch(NAME, seconds + SETTLE_S, dict(os.environ)) as watch:
                time.sleep(SETTLE_S)
                sent.append(_late_ms(folder, seconds))
                pictures = watch.result(seconds + START_S)["pictures"]
            span_s = (pictures[-1]["moment_ns"] - pictures[0]["moment_ns"]) / 1e9
            rates.append(round((len(pictures) - 1) / span_s, 2))
    found = {"off": _summary(quiet), "received": _summary(sent), "received_fps": rates}
    before, after = found["off"]["late_p99_ms"], found["received"]["late_p99_ms"]
    ratio = round(max(FLOOR_MS, after) / max(FLOOR_MS, before), 2)
    # a machine that others keep from drawing says nothing of what sending costs
    is_judged = found["off"]["late_p50_ms"] < LEAST_QUIET_MS
    return found | {"p99_ratio": ratio, "is_judged": is_judged}


def _late_ms(folder: Path, seconds: float) -> np.ndarray:
    """How much later than one period after the swap before each swap of the next seconds comes back."""
    began_ns = time.monotonic_ns()
    time.sleep(seconds)
    ended_ns = time.monotonic_ns()
    time.sleep(1.0)  # until the last swaps are written
    swaps = read_swaps(folder / "swaps.bin")
    inside = swaps[(swaps >= began_ns) & (swaps <= ended_ns)]
    return np.maximum(0.0, np.diff(inside) / 1e6 - PERIOD_MS)


def _summary(turns: list[np.ndarray]) -> dict[str, object]:
    late_ms = np.concatenate(turns)
    p50, p99 = (round(float(x), 2) for x in np.percentile(late_ms, [50, 99]))
    per_turn = [round(float(np.percentile(turn, 99)), 2) for turn in turns]
    return {"swaps": late_ms.size, "late_p50_ms": p50, "late_p99_ms": p99, "late_p99_ms_by_turn": per_turn}


def _cpu_share(process_id: int, seconds: float) -> float:
    """Share of one core that a process takes over so long."""

    def used_s() -> float:
        words = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    before = used_s()
    time.sleep(seconds)
    return round((used_s() - before) / seconds, 3)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _stay_here(folder: Path) -> None:
    os.environ.update(loopback_ndi(folder / "ndi"))
