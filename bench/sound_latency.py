"""From a click played into a PulseAudio null sink to the feature and to the parameter it modulates, in milliseconds.

`python -m bench.sound_latency --json bench/results/sound_latency.json`; needs PulseAudio. The sink
and its monitor stand for the sound card: the way into the sink is part of the total, and is told apart by the DAC time.
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

CLICKS = 60
TARGET = "/vj/effect/zoom"
SETTLED_NS = 60_000_000
SOONEST_NS, LATEST_NS = -20_000_000, 200_000_000  # what follows a click, from its DAC time on
PLAYER = """
import json, random, sys, time
import numpy as np
import sounddevice
rate, left, clicks, random = 48000, 24000, [], random.Random(1)
t = np.arange(384) / rate
click = (0.5 * np.sin(2 * np.pi * 1500 * t) * np.exp(-t * 500)).astype(np.float32)
rest = np.zeros(0, np.float32)

def play(out, count, times, flags):
    global left, rest
    out[:] = 0.0
    head = rest[:count]
    out[: len(head), 0] = head
    rest = rest[count:]
    left -= count
    if left < 0:
        now = time.monotonic_ns()
        clicks.append(now + int((times.outputBufferDacTime - times.currentTime) * 1e9))
        out[: min(count, len(click)), 0] = click[:count]
        rest = click[count:]
        left = random.randint(rate * 3 // 10, rate // 2)

wanted = int(sys.argv[1])
with sounddevice.OutputStream(rate, 256, "pulse", 1, "float32", 0.06, callback=play):
    while len(clicks) < wanted:
        time.sleep(0.05)
    time.sleep(0.3)
print(json.dumps(clicks))
"""


def listen(clicks: int) -> dict[str, object]:
    """Play clicks and watch the features and a modulated parameter, a thousand times a second."""
    from vj.conductor import Conductor
    from vj.modulation.bank import ModulationBank
    from vj.parameters import ParameterStore
    from vj.sound.input import SoundInput
    from vj.tempo.beat_line import BeatLine

    store, conductor = ParameterStore(), Conductor()
    ear = SoundInput(store.versioned_snapshot)
    slot = {"on": True, "target": TARGET, "source": "high_mid_onset", "depth": 1.0, "attack": 0.0, "release": 50.0}
    store.set_many({f"/vj/mod/1/{name}": value for name, value in slot.items()}, "bench")
    bank = ModulationBank(store.snapshot, BeatLine(0, 0.0, 120.0).beat_at, lambda: ear.features)
    conductor.add(bank)
    ear.start()
    conductor.start()
    while time.monotonic_ns() - ear.features.time_ns > SETTLED_NS:
        time.sleep(0.05)
    thread = next(one.ident for one in threading.enumerate() if one.name == "sound")
    used = time.pthread_getcpuclockid(thread)
    began_s, cpu_before_s = time.monotonic(), time.clock_gettime(used)
    heard, moved = [], []
    player = subprocess.Popen(
        [sys.executable, "-c", PLAYER, str(clicks)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    last, rest = ear.features.onset_times_ns, store.get(TARGET)
    was_moved = False
    while player.poll() is None:
        features, now_ns = ear.features, time.monotonic_ns()
        if features.onset_times_ns[2] != last[2]:
            heard.append((now_ns, features.onset_times_ns[2]))
        last = features.onset_times_ns
        is_moved = bank.effective(store.snapshot(), now_ns)[TARGET] > rest * 1.05
        if is_moved and not was_moved:
            moved.append(now_ns)
        was_moved = is_moved
        time.sleep(0.001)
    share = (time.clock_gettime(used) - cpu_before_s) / (time.monotonic() - began_s)
    status = ear.status
    conductor.stop()
    ear.stop()
    played = json.loads(player.communicate()[0])
    return {"device": status.device, "overflows": status.overflows, "cpu_share": round(share, 4)} | figures(
        played, heard, moved
    )


def figures(played: list[int], heard: list[tuple[int, int]], moved: list[int]) -> dict[str, dict[str, float] | int]:
    """Pair clicks with what followed them; times in ns."""
    rows: dict[str, list[float]] = {"dac_to_feature_ms": [], "dac_to_parameter_ms": [], "onset_time_after_dac_ms": []}
    for dac in played:
        feature = next((one for one in heard if SOONEST_NS < one[0] - dac < LATEST_NS), None)
        parameter = next((one for one in moved if SOONEST_NS < one - dac < LATEST_NS), None)
        if feature is None or parameter is None:
            continue
        rows["dac_to_feature_ms"].append((feature[0] - dac) / 1e6)
        rows["dac_to_parameter_ms"].append((parameter - dac) / 1e6)
        rows["onset_time_after_dac_ms"].append((feature[1] - dac) / 1e6)
    return {"clicks": len(played), "heard": len(rows["dac_to_feature_ms"])} | {
        name: {
            "least": round(min(row), 1),
            "p50": round(statistics.median(row), 1),
            "p95": round(sorted(row)[int(0.95 * len(row))], 1),
        }
        for name, row in rows.items()
        if row
    }


def main() -> int:
    """Measure, print, write JSON."""
    from tests.servers import PulseServer

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=CLICKS)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PulseServer(Path(folder)) as server:
        os.environ.update(server.env)
        row = listen(arguments.clicks)
    print(json.dumps(row, indent=2))
    if arguments.json:
        target = ROOT / arguments.json
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps({"environment": describe(torch.device("cpu")), "figures": row}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
