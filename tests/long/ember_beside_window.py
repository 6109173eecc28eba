"""ember beside the output drawn in software on the same two cores: frames it makes in a second of work.

Each number type at each size, and what start-up chooses by itself. Told by the engine's own rate, and by the processor
time its frames took: what one core to itself would make, whatever else the machine did meanwhile.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pythonosc.osc_packet import OscPacket

from engine.frame_ring import FrameRing
from engine.plans import machine_speed as speeds
from tests.servers.instrument import vj_command
from tests.servers.watched_show import WatchedShow
from tests.servers.xvfb import XDisplay

SECONDS = 20.0
SETTLE_S = 8.0
DISPLAY = (1280, 720)
WANTED_FPS = {"bfloat16 256x144": 28.0, "float32 160x96": 16.0}  # the first with AMX
PLAYS = (("bfloat16", "256x144"), ("float32", "256x144"), ("float32", "160x96"), ("", ""))
TICKS = os.sysconf("SC_CLK_TCK")
RATE = "/vj/state/generator/fps"


def run(seconds: float = SECONDS) -> dict[str, object]:
    """Play each for so long. Raises AssertionError where a rate is not reached by the time its work takes."""
    figures = {f"{dtype} {size}".strip() or "chosen at start": _play(dtype, size, seconds) for dtype, size in PLAYS}
    figures["has_amx"] = _has_amx()
    late = {
        name: row for name, row in figures.items() if name in WANTED_FPS and row["fps_of_one_core"] < WANTED_FPS[name]
    }
    assert not late, f"slower than {WANTED_FPS}: {figures}"
    return figures


def _play(dtype: str, size: str, seconds: float) -> dict[str, object]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if dtype:
            _choose(dtype, folder)
        heard = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        heard.bind(("127.0.0.1", 0))
        heard.setblocking(False)
        display = stack.enter_context(XDisplay(folder, *DISPLAY))
        words = ["run", "--fullscreen", "--fresh", "--osc", "0", "--osc-out", str(heard.getsockname()[1])]
        words += ["--size", size] if size else []
        show = WatchedShow(display, folder, words, {}, vj_command())
        stack.callback(lambda: show.vj.stop())
        show.wait_live(90.0)
        time.sleep(SETTLE_S)
        list(_rates(heard))
        engine, ring = show.engine_id(), FrameRing.attach(show.run_folder / "frames.ring")
        stack.callback(ring.close)
        before = ring.written, _processor_s(engine), _processor_s(show.stage_id), time.monotonic()
        time.sleep(seconds)
        frames, engine_s, stage_s, took_s = (
            now - then
            for now, then in zip(
                (ring.written, _processor_s(engine), _processor_s(show.stage_id), time.monotonic()), before, strict=True
            )
        )
        rates = [rate for rate in _rates(heard) if rate > 0.0]
        return {
            "size": f"{ring.width}x{ring.height}",
            "generator_fps": round(statistics.median(rates), 1) if rates else None,
            "fps_of_one_core": round(frames / engine_s, 1),
            "played_fps": round(frames / took_s, 1),
            "display_fps": round(show.state().status.display_fps, 1),
            "window_share_of_a_core": round(stage_s / took_s, 2),
            "machine_load": round(os.getloadavg()[0], 1),
        }


def _choose(dtype: str, home: Path) -> None:
    """Leave what start-up would have measured where it looks for it: a quick machine with this number type."""
    quick, slow = 1e-3, 1.0
    times = (quick, slow) if dtype == "float32" else (slow, quick)
    speed = speeds.MachineSpeed(*times, has_fast_products=speeds.machine_speed().has_fast_products)
    file = home / "vj" / speeds.FILE_NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": speeds._machine_name(), **dataclasses.asdict(speed)}), "utf-8")


def _rates(heard: socket.socket) -> Iterator[float]:
    """The engine's rate as the instrument has told it since the last look."""
    with contextlib.suppress(BlockingIOError):
        while True:
            for timed in OscPacket(heard.recv(65536)).messages:
                if timed.message.address == RATE:
                    yield float(timed.message.params[0])


def _processor_s(process_id: int) -> float:
    words = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def _has_amx() -> bool:
    return "amx_bf16" in Path("/proc/cpuinfo").read_text()
