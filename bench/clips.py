"""How fast clips are drawn, family by family: seconds for 57 frames of 256x144 on one core, closed form.

`python -m bench.clips --json bench/results/clips.json`
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
from engine.training.clips.drawing import draw_plan
from engine.training.clips.families import FAMILIES
from engine.training.clips.spec import CLIP_FRAMES, FINISHES, ClipPlan, ClipSpec, Variety, random_plan

SIZE = (144, 256)


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that one call takes, the device's own work included."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def main() -> int:
    """Measure families, finishes and a mix as training draws it; print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="draws per row; the median counts")
    parser.add_argument("--device", default="cpu", help="where to draw (default: cpu)")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(arguments.device)

    def clip_s(plans: list[ClipPlan]) -> list[float]:
        return [
            seconds_of(lambda plan=plan: draw_plan(plan, SIZE, 0, CLIP_FRAMES, device=device), device) for plan in plans
        ]

    clip_s([ClipPlan(ClipSpec("plasma", "blue", "normal", 0))])  # the first call loads what it needs
    seeds = range(arguments.repeats)
    figures = {
        "families_s": {
            name: clip_s([ClipPlan(ClipSpec(name, "blue", "normal", seed)) for seed in seeds]) for name in FAMILIES
        },
        "finishes_s": {
            name: clip_s([ClipPlan(ClipSpec("plasma", "blue", "normal", seed, finish=name)) for seed in seeds])
            for name in FINISHES
        },
    }
    rows = {kind: {name: round(statistics.median(t), 3) for name, t in row.items()} for kind, row in figures.items()}
    generator = torch.Generator().manual_seed(1)
    mixed = clip_s([random_plan(generator, Variety()) for _ in range(10 * arguments.repeats)])
    rows["mixed_s"] = {"mean": round(statistics.mean(mixed), 3), "slowest": round(max(mixed), 3)}
    for kind, row in rows.items():
        print(kind, " ".join(f"{name} {value}" for name, value in row.items()))
    if arguments.json:
        setting = {"width": SIZE[1], "height": SIZE[0], "frames": CLIP_FRAMES}
        arguments.json.write_text(
            json.dumps({"environment": describe(device), "setting": setting, "figures": rows}, indent=1) + "\n"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
