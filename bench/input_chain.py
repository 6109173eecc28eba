"""What an input's chain costs: processor milliseconds per picture, by treatment and sizes, and beside a plain copy.

`python -m bench.input_chain --json bench/results/input_chain.json`
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bench.environment import describe

REPEATS = 60
SIZES = (((1280, 720), (1280, 720)), ((1920, 1080), (1280, 720)), ((1280, 720), (832, 480)), ((1280, 720), (256, 144)))
TREATMENTS: dict[str, dict[str, object]] = {
    "at rest": {},
    "crop": {"crop_left": 0.05, "crop_top": 0.05},
    "flip": {"flip_h": True},
    "levels": {"black": 0.05, "gamma": 1.3},
    "luma key": {"key": "luma"},
    "chroma key and spill": {"key": "chroma"},
    "crop, flip, levels, chroma key and spill": {
        "crop_left": 0.05,
        "crop_top": 0.05,
        "flip_h": True,
        "black": 0.05,
        "gamma": 1.3,
        "key": "chroma",
    },
}


def best_ms(call: Callable[[], object]) -> float:
    """Processor time of this thread for one call, in milliseconds: the best, as other work costs cache."""
    call()
    times = []
    for _ in range(REPEATS):
        began = time.thread_time_ns()
        call()
        times.append(time.thread_time_ns() - began)
    return min(times) / 1e6


def chroma_by_formula(picture: np.ndarray) -> np.ndarray:
    """The colour key for green as its formula is written, in float32: what the whole-number one is compared with."""
    red, green, blue = (picture[..., k].astype(np.float32) for k in range(3))
    across, up = red - (green + blue) / 2, np.float32(np.sqrt(3) / 2) * (green - blue)
    x, y = -0.5 * across + np.float32(np.sqrt(3) / 2) * up, -np.float32(np.sqrt(3) / 2) * across - 0.5 * up
    key = np.clip(x - np.abs(y), 0, None) / np.maximum(picture.max(-1), 48)
    return np.clip((0.49 - key) / 0.049, 0, 1)


def main(arguments: list[str] | None = None) -> int:
    """Measure; print, and write JSON where asked to."""
    import cv2

    from vj.inputs.chain.chain import Chain
    from vj.inputs.chain.key import chroma_alpha, hue_strength
    from vj.inputs.params import INPUT_PARAMETERS, InputParams

    parser = argparse.ArgumentParser(prog="python -m bench.input_chain", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    rest = InputParams.from_values({p.address: p.default for p in INPUT_PARAMETERS}, 1)
    rows = []
    for (width, height), size in SIZES:
        picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        for name, changes in TREATMENTS.items():
            settings = dataclasses.replace(rest, **changes)
            ms = round(best_ms(lambda p=picture, s=settings, z=size: Chain().apply(p, s, z)), 2)
            rows.append({"from": [width, height], "to": list(size), "treatment": name, "ms": ms})
            print(f"{width}x{height} to {size[0]}x{size[1]}  {name:42} {ms:6.2f} ms")
    picture = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    whole = best_ms(lambda: chroma_alpha(cv2.split(picture), hue_strength(picture, 120.0), 0.3, 0.1))
    formula = best_ms(lambda: chroma_by_formula(picture))
    print(
        f"colour key of 1280x720: {whole:.2f} ms, its formula in float32 {formula:.1f} ms: {formula / whole:.0f} times"
    )
    if args.json:
        figures = {"key_ms": round(whole, 2), "key_formula_float32_ms": round(formula, 1)}
        args.json.write_text(
            json.dumps({"environment": describe(torch.device("cpu")), "chain": rows, **figures}, indent=2) + "\n",
            encoding="utf-8",
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
