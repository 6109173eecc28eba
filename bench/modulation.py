"""What modulators cost a display refresh: time of one evaluation, by how many work and whether hands move.

`python -m bench.modulation --json bench/results/modulation.json`
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bench.environment import describe

CALLS = 2000
BATCH = 20  # calls timed together: a clock's own cost disappears


def median_us(call: Callable[[int], object]) -> float:
    """Median time of a call in microseconds; `call` is handed a number that grows."""
    times = []
    for batch in range(CALLS // BATCH):
        start = time.perf_counter()
        for k in range(BATCH):
            call(batch * BATCH + k)
        times.append((time.perf_counter() - start) / BATCH)
    return round(statistics.median(times) * 1e6, 1)


def measure(working: int) -> dict[str, object]:
    """Evaluate so many modulators of every source over different targets."""
    from vj.modulation.bank import ModulationBank
    from vj.modulation.params import SOURCES, TARGETS
    from vj.output.params import OutputParams
    from vj.parameters import ParameterStore
    from vj.sound.features import SILENCE
    from vj.tempo.beat_line import BeatLine

    store = ParameterStore()
    line = BeatLine(0, 0.0, 120.0)
    bank = ModulationBank(store.snapshot, line.beat_at, lambda: SILENCE)
    for slot in range(1, working + 1):
        target, source = TARGETS[-slot], SOURCES[slot % len(SOURCES)]
        values = {"on": True, "target": target, "source": source, "depth": 0.3}
        store.set_many({f"/vj/mod/{slot}/{name}": value for name, value in values.items()}, "bench")
    bank.tick(0)

    def refresh(k: int) -> None:
        OutputParams.from_values(bank.effective(store.snapshot(), k * 16_666_667))

    def refresh_after_a_hand(k: int) -> None:
        store.set("/vj/prompt/16/weight", k % 128 / 127, "bench")
        refresh(k)

    return {
        "modulators": working,
        "refresh_us": median_us(refresh),
        "refresh_with_a_hand_us": median_us(refresh_after_a_hand),
        "tick_us": median_us(lambda k: bank.tick(k * 10_000_000)),
    }


def main() -> int:
    """Measure nothing, a few and all slots; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    rows = [measure(working) for working in (0, 1, 4, 16)]
    for row in rows:
        print(row)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"environment": describe(torch.device("cpu")), "rows": rows}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
