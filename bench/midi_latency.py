"""From a MIDI message to the moved parameter, and what a storm of messages does to a 60 Hz thread beside it.

`python -m bench.midi_latency --json bench/results/midi_latency.json`; needs jackd on the machine. Sender
and ports are real; the sender is a process of its own. JACK carries a message once per period of 5.3 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch

from bench.environment import ROOT, describe

ADDRESS = "/vj/output/level"
CONTROL = "cc/1/7"
LINE = f'device = "box"\n[controls]\n"{CONTROL}" = {{ parameter = "{ADDRESS}", takeover = "jump" }}\n'
FRAME_HZ = 60.0
SENDER = """
import sys, time
import rtmidi
count, rate_hz = int(sys.argv[1]), float(sys.argv[2])
port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="box")
port.open_virtual_port("slider")
sys.stdin.readline()
began_ns = time.monotonic_ns()
for k in range(count):
    # a real fader never sends the same twice; the last one is the highest
    port.send_message([0xB0, 7, 127 if k == count - 1 else k % 126])
    due_ns = began_ns + round((k + 1) * 1e9 / rate_hz)
    while time.monotonic_ns() < due_ns:
        time.sleep(0.0002)
time.sleep(0.5)
port.close_port()
port.delete()
"""


class _TimedRouter:
    """Plays events and keeps how long after their arrival at the port the parameter had moved."""

    def __init__(self, router: object, store: object) -> None:
        self._router, self._store = router, store
        self.delays_ms: list[float] = []

    def handle(self, event: object) -> None:
        self._router.handle(event)
        move = self._store.moved_by(ADDRESS)
        if move is not None and event.control == CONTROL:
            self.delays_ms.append((move.time_ns - event.time_ns) / 1e6)

    def device_came(self, device: str) -> None:
        self._router.device_came(device)


class _Frames:
    """A thread that wakes up 60 times a second, as a display does, and keeps how late it was."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping.set()
        self._thread.join()

    def _run(self) -> None:
        due_s = time.monotonic() + 1.0 / FRAME_HZ
        while not self._is_stopping.is_set():
            time.sleep(max(0.0, due_s - time.monotonic()))
            self.late_ms.append((time.monotonic() - due_s) * 1e3)
            due_s = max(due_s, time.monotonic()) + 1.0 / FRAME_HZ


def play(count: int, rate_hz: float) -> dict[str, object]:
    """Send `count` messages at a rate and return what came of them. The environment names the JACK server."""
    from vj.commands import CommandQueue
    from vj.controllers.mapping import load_mappings
    from vj.controllers.midi import MidiInput
    from vj.controllers.router import Router
    from vj.controls import Controls
    from vj.parameters import ParameterStore

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "box.toml"
        path.write_text(LINE)
        mappings, _ = load_mappings([path])
    controls = Controls(ParameterStore(), CommandQueue())
    router = _TimedRouter(Router(controls, mappings), controls.store)
    midi = MidiInput(router, look_every_s=0.1)
    command = [sys.executable, "-c", SENDER, str(count), str(rate_hz)]
    sender = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    midi.start()
    while "box:slider" not in midi.status.devices:
        time.sleep(0.02)
    frames = _Frames()
    sender.communicate("go\n")
    frames.stop()
    midi.stop()
    return {
        "sent": count,
        "rate_hz": rate_hz,
        "played": len(router.delays_ms),
        "arrival_to_parameter_ms": _spread(router.delays_ms),
        "frame_late_ms": _spread(frames.late_ms),
        "holds_last_value": controls.store.get(ADDRESS) == 1.0,
    }


def measure(seconds: float) -> dict[str, object]:
    """A hand on a fader, then a storm. Starts a JACK server of its own."""
    from tests.servers.jack import JackServer

    sys.setswitchinterval(0.0005)  # as the instrument does
    with tempfile.TemporaryDirectory() as folder, JackServer(Path(folder)) as server:
        os.environ.update(server.env)
        return {"hand": play(round(200 * seconds), 200.0), "storm": play(round(10_000 * seconds), 10_000.0)}


def _spread(values: list[float]) -> dict[str, float]:
    centiles = statistics.quantiles(values, n=100)
    return {"p50": round(centiles[49], 3), "p99": round(centiles[98], 3), "max": round(max(values), 3)}


def main() -> int:
    """Measure, print, and write the JSON that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each part")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    result = {"environment": describe(torch.device("cpu")), **measure(options.seconds)}
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        (ROOT / options.json).write_text(text + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
