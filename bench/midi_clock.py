"""How late the ticks of MIDI clock leave, beside a thread that works as a window does, in milliseconds.

`python -m bench.midi_clock --json bench/results/midi_clock.json`. From its own thread as in the instrument, and for
comparison from a loop of 100 steps a second as the conductor runs. The driver and the cable come on top.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import threading
import time
from pathlib import Path

import torch

from bench.environment import describe

SECONDS = 20.0
BUSY_S, FREE_S = 0.006, 0.010  # one display refresh of a window at 60 Hz
SWITCH_INTERVAL_S = 0.0005  # as the application sets it
STEP_S = 0.01


class Ticks:
    """When ticks left, against when they were due."""

    def __init__(self) -> None:
        from vj.commands import CommandQueue
        from vj.controls import Controls
        from vj.parameters import ParameterStore
        from vj.tempo import midi_clock
        from vj.tempo.clock import Clock

        self.clock = Clock(Controls(ParameterStore(), CommandQueue()))
        self._tick, self._per_beat = midi_clock.TICK, midi_clock.TICKS_PER_BEAT
        self._sent: list[int] = []

    def send(self, message: bytes) -> None:
        """Note the time of a tick."""
        if message[0] == self._tick:
            self._sent.append(time.monotonic_ns())

    def lateness(self) -> dict[str, float]:
        """Summarise and forget, in ms."""
        late = []
        for sent_ns in self._sent:
            number = math.floor(self.clock.beat_at(sent_ns) * self._per_beat + 1e-6)
            late.append((sent_ns - self.clock.time_of_beat(number / self._per_beat)) / 1e6)
        late.sort()
        self._sent.clear()
        return {
            "ticks": len(late),
            "median_ms": round(statistics.median(late), 3),
            "p95_ms": round(late[int(0.95 * len(late))], 3),
            "worst_ms": round(late[-1], 3),
            "deviation_ms": round(statistics.pstdev(late), 3),
        }


def measure(seconds: float) -> dict[str, dict[str, float]]:
    """Tick both ways beside the busy thread."""
    from vj.tempo.midi_clock_out import MidiClockOutput

    is_over = threading.Event()
    window = threading.Thread(target=_work_like_a_window, args=(is_over,))
    window.start()
    ticks = Ticks()
    output = MidiClockOutput(ticks.clock, lambda: True, ticks.send)
    output.start()
    time.sleep(seconds)
    output.stop()
    found = {"own thread": ticks.lateness()}
    stepped = MidiClockOutput(ticks.clock, lambda: True, ticks.send)
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        stepped.advance(time.monotonic_ns())
        time.sleep(STEP_S)
    found["100 steps a second"] = ticks.lateness()
    is_over.set()
    window.join()
    return found


def _work_like_a_window(is_over: threading.Event) -> None:
    while not is_over.wait(FREE_S):
        end_s = time.monotonic() + BUSY_S
        while time.monotonic() < end_s:
            sum(range(50))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="per way (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    args = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    result = {"environment": describe(torch.device("cpu")), "bpm": 120.0, "lateness": measure(args.seconds)}
    print(json.dumps(result, indent=2))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
