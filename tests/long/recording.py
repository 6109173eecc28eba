"""What recording costs the display: times between swaps of a real show, with and without a recording, in turns.

An X server in memory has no vertical blank: the output keeps 60 Hz by the clock. Also a recorder killed in the middle.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from tests.servers.process import wait_until
from tests.servers.timed_vj import read_swaps
from tests.servers.watched_show import WatchedShow, watched_show

TURNS, TURN_S = 12, 6.0  # each way; short, so that what else the machine does falls on both
SETTLE_S = 2.0  # after the switch: buffers, the encoder
WORST_RATIO = 1.5
KEPT_S = 1.0


def run(turns: int = TURNS, turn_s: float = TURN_S) -> dict[str, object]:
    """Measure so many turns each way; raises AssertionError when recording is felt or a killed file is short."""
    times_ms: dict[bool, list[np.ndarray]] = {False: [], True: []}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        films = folder / "films"
        show, watch = stack.enter_context(watched_show(folder, timed=folder / "swaps.bin"))
        watch.take()
        show.send("/vj/record/folder", str(films))
        time.sleep(10.0)  # the clock has found the generator's rate
        for turn in range(2 * turns):
            is_on = bool(turn % 2)
            show.send("/vj/record/on", int(is_on))
            time.sleep(SETTLE_S)
            times_ms[is_on].append(_swap_times_ms(folder / "swaps.bin", turn_s))
        show.send("/vj/record/on", 0)
        time.sleep(1.0)
        figures = _compare(times_ms) | _files(films) | _killed(show, films)
        figures["machine_load"] = round(os.getloadavg()[0], 1)
    assert figures["p99_ratio"] <= WORST_RATIO, f"the display feels the recording: {figures}"
    assert figures["lost_by_a_kill_s"] <= KEPT_S, f"a killed recording is too short: {figures}"
    return figures


def _swap_times_ms(path: Path, seconds: float) -> np.ndarray:
    began_ns = time.monotonic_ns()
    time.sleep(seconds)
    ended_ns = time.monotonic_ns()
    time.sleep(0.5)  # until the last ones are written
    swaps = read_swaps(path)
    return np.diff(swaps[(swaps >= began_ns) & (swaps <= ended_ns)]) / 1e6


def _compare(times_ms: dict[bool, list[np.ndarray]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for is_on, name in ((False, "without"), (True, "with")):
        times = np.concatenate(times_ms[is_on])
        p50, p95, p99 = (round(float(x), 2) for x in np.percentile(times, [50, 95, 99]))
        found[name] = {"swaps": len(times), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
        found[name] |= {"longest_ms": round(float(times.max()), 1), "per_s": round(1000.0 / float(times.mean()), 2)}
    found["p99_ratio"] = round(found["with"]["p99_ms"] / found["without"]["p99_ms"], 3)
    return found


def _files(films: Path) -> dict[str, object]:
    """How many of the frames that a constant rate asks for are in the files."""
    frames = due = size = 0
    for path in films.glob("*.mp4"):
        with av.open(str(path)) as file:
            video = file.streams.video[0]
            stamps = [packet.pts for packet in file.demux(video) if packet.pts is not None]
            frames += len(stamps)
            due += round((max(stamps) - min(stamps)) * float(video.time_base) * 60) + 1
        size += path.stat().st_size
    return {"frames": frames, "dropped": due - frames, "files_mb": round(size / 1e6, 1)}


def _killed(show: WatchedShow, films: Path) -> dict[str, object]:
    """Kill the recorder in the middle; say how much its file lacks."""
    before = set(films.glob("*.mp4"))
    show.send("/vj/record/on", 1)
    wait_until(lambda: set(films.glob("*.mp4")) - before, "a recording", 20.0)
    (path,) = set(films.glob("*.mp4")) - before
    began_s = time.monotonic()  # the file is made with the first picture
    time.sleep(5.0)
    ended_s = time.monotonic()
    os.kill(_recorder_id(show), signal.SIGKILL)
    show.send("/vj/record/on", 0)
    time.sleep(1.0)
    with av.open(str(path)) as file:
        played = list(file.decode(video=0))
    return {"lost_by_a_kill_s": round(ended_s - began_s - float(played[-1].time), 2), "plays_s": float(played[-1].time)}


def _recorder_id(show: WatchedShow) -> int:
    for children in Path(f"/proc/{show.vj.process.pid}/task").glob("*/children"):
        for child in children.read_text().split():
            if b"vj.recording" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    raise AssertionError("there is no recorder")
