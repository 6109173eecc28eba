"""What making a control costs per frame on one core, and how much edges flicker in a camera's noise.

Time is that of the processor, not of the clock: other work on the machine hardly moves it. Drawn pictures in motion.
`python -m bench.controls --json bench/results/controls.json`
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from bench.environment import describe
from engine.training.clips.drawing import draw_plan
from engine.training.clips.spec import ClipPlan, Variety, random_spec
from engine.vace.controls.registry import CONTROL_MAKERS, Control

SIZES = ((256, 144), (832, 480))
FRAMES = 12  # a chunk of three latent frames
REPEATS = 5
NOISE = 4.0  # of 8 bits, a webcam in a dim room
NOISY_FRAMES, SETTLING = 24, 8


def drawn_clip(width: int, height: int, frames: int = FRAMES) -> np.ndarray:
    """A training clip (T, H, W, 4) uint8."""
    spec = random_spec(torch.Generator().manual_seed(11), Variety())
    pixels = draw_plan(ClipPlan(spec), (height, width), 40, frames).permute(0, 2, 3, 1).numpy()
    opaque = np.ones((frames, height, width, 1))
    return np.rint(np.concatenate([(pixels + 1.0) / 2.0, opaque], axis=-1).clip(0.0, 1.0) * 255.0).astype(np.uint8)


def milliseconds_per_frame(control: Control, frames: np.ndarray) -> float:
    """The best of `REPEATS`, in processor time of this thread."""
    taken = []
    for _ in range(REPEATS):
        begun_ns = time.thread_time_ns()
        control.make(frames, 0.5)
        taken.append((time.thread_time_ns() - begun_ns) / 1e6 / len(frames))
    return round(min(taken), 2)


def flicker() -> dict[str, float]:
    """Change from frame to frame of a still scene under noise, as a share of all light: our edges, and Canny's."""
    import cv2

    still = drawn_clip(832, 480, 1)[0, ..., :3].astype(float)
    generator = np.random.default_rng(0)
    noisy = [(still + generator.normal(0.0, NOISE, still.shape)).clip(0, 255) for _ in range(NOISY_FRAMES)]
    frames = np.stack(noisy).astype(np.uint8)
    canny = np.stack([cv2.Canny(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 50, 110) for frame in frames])
    ours = CONTROL_MAKERS["edges"].make(frames, 0.5).pixels[..., 0]
    return {name: _change(lines[SETTLING:].astype(float)) for name, lines in (("edges", ours), ("canny", canny))}


def _change(lines: np.ndarray) -> float:
    return round(float(np.abs(np.diff(lines, axis=0)).mean() / lines.mean()), 3)


def main() -> None:
    """Measure and write."""
    import cv2

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where the figures go")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    ready = [control for control in CONTROL_MAKERS.values() if control.make is not None and control.name != "none"]
    results: dict[str, object] = {"environment": describe(torch.device("cpu"))}
    for width, height in SIZES:
        frames = drawn_clip(width, height)
        costs = {control.name: milliseconds_per_frame(control, frames) for control in ready}
        results[f"ms_per_frame_{width}x{height}"] = costs
        print(f"{width}x{height}:", ", ".join(f"{name} {cost} ms" for name, cost in costs.items()))
    results["flicker"] = flicker()
    print("flicker:", results["flicker"])
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
