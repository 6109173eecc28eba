"""How closely ember's picture follows the input it is painted over, by the amount of noise, and what that costs.

Two drawn sources go ways that never repeat; each picture is correlated with its own source and with the other one.
`python -m bench.v2v --json bench/results/v2v.json`
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

from bench.environment import describe
from engine.chunk_source import DEFAULT_MODEL
from engine.generator import Generator
from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import ChunkParams
from engine.video_in.given import GivenFrames

SIZE = (256, 144)
NOISES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PROMPT = "violet smoke drifting slowly"
BLOBS = 5
DARK, LIGHT = np.array([40, 30, 60]), np.array([220, 190, 120])


class DrawnSource:
    """Light blobs that wander over a dark ground; another seed is another way."""

    def __init__(self, seed: int) -> None:
        rates = np.random.default_rng(seed)
        self._speeds = rates.uniform(0.7, 3.1, (BLOBS, 4))
        self._phases = rates.uniform(0.0, 2 * math.pi, (BLOBS, 4))
        self._radii = rates.uniform(0.08, 0.2, BLOBS)
        self._taken = 0

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        """As `VideoInput.take`."""
        numbers = range(self._taken, self._taken + frames)
        self._taken += frames
        return GivenFrames(np.stack([self.frame(number) for number in numbers]), (0,) * frames)

    def beside(self) -> DrawnSource:
        """The same source for whoever asks; no deck does here."""
        return self

    def frame(self, number: int) -> np.ndarray:
        """Frame `number` of 16 a second, (H, W, 4) uint8."""
        width, height = SIZE
        across = np.linspace(-width / height, width / height, width)[None, :]
        down = np.linspace(-1.0, 1.0, height)[:, None]
        light = np.zeros((height, width))
        waves = np.sin(self._speeds * number / 16 + self._phases)
        for (x1, x2, y1, y2), radius in zip(waves, self._radii, strict=True):
            away = np.hypot(across - 1.4 * (0.7 * x1 + 0.3 * x2), down - 0.8 * (0.7 * y1 + 0.3 * y2))
            light = np.maximum(light, np.clip((2 * radius - away) * 40, 0.0, 1.0))
        frame = np.full((height, width, 4), 255, np.uint8)
        frame[..., :3] = DARK + light[..., None] * (LIGHT - DARK)
        return frame


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Mean over frames (T, H, W, 4) of the correlation of their brightness over the picture."""
    one, other = (frames[..., :3].mean(-1).reshape(len(frames), -1) for frames in (one, other))
    one, other = (light - light.mean(1, keepdims=True) for light in (one, other))
    return float(((one * other).sum(1) / np.sqrt((one**2).sum(1) * (other**2).sum(1) + 1e-9)).mean())


def play(generator: Generator, params: ChunkParams, seed: int, chunks: int) -> tuple[np.ndarray, float]:
    """Frames over source `seed`, and the least processor time of a later chunk with its clean pass, in seconds."""
    generator.hard_cut()
    generator.connect_inputs({1: DrawnSource(seed)})
    frames, times = [], []
    for _ in range(chunks):
        began = time.process_time()
        frames.append(generator.generate_chunk(params).frames)
        generator.remember_chunk()
        times.append(time.process_time() - began)
    return np.concatenate(frames), min(times[1:])


def measure(generator: Generator, noise: float, steps: int, chunks: int) -> dict[str, object]:
    """Figures of one amount of noise."""
    params = dataclasses.replace(ChunkParams().with_prompts((PROMPT,)), input_on=True, input_noise=noise)
    params = dataclasses.replace(params, input_steps=steps)
    made = [play(generator, params, seed, chunks) for seed in (1, 2)]
    sources = [np.stack([DrawnSource(seed).frame(k) for k in range(len(made[0][0]))]) for seed in (1, 2)]
    own = [correlation(made[k][0], sources[k]) for k in (0, 1)]
    others = [correlation(made[k][0], sources[1 - k]) for k in (0, 1)]
    light = [frames[..., :3].mean(-1) for frames in (made[0][0], sources[0])]
    return {
        "noise": noise,
        "steps": steps,
        "correlation": [round(value, 3) for value in own],
        "minus_other": [round(a - b, 3) for a, b in zip(own, others, strict=True)],
        "rms_levels": round(float(np.sqrt(np.square(light[0] - light[1]).mean())), 1),
        "chunk_cpu_ms": round(1e3 * min(shortest for _, shortest in made), 1),
    }


def main() -> int:
    """Measure every amount, print a line each, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=6, help="chunks per stream")
    parser.add_argument("--steps", type=int, default=ChunkParams().input_steps)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    width, height = SIZE
    generator = load_generator(
        load_preset(DEFAULT_MODEL), width=width, height=height, device="cpu", dtype="float32", threads=1
    )
    rows = []
    for noise in NOISES:
        rows.append(measure(generator, noise, arguments.steps, arguments.chunks))
        print(rows[-1])
    generator.close()
    if arguments.json is not None:
        report = {"environment": describe(torch.device("cpu")), "prompt": PROMPT, "rows": rows}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
