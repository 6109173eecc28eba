"""Two minutes of ember per prompt: it moves all the time, and brightness and contrast stay near their start."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import ChunkParams

RATE_HZ = 16.0
SECONDS = 120.0
REFERENCE_S = 10.0  # the beginning that the rest is measured against
TOLERANCE = 0.4  # of mean and contrast, "First light"
SMALLEST_MOTION = 0.002  # mean change between neighbouring frames, 0..1; drawn clips have 0.005 to 0.03
PROMPTS = (
    "a drop of black ink blooms in clear water",
    "violet smoke",
    "orange fire",
    "teal aurora",
)


def stream(prompt: str, seed: int, seconds: float, size: tuple[int, int]) -> np.ndarray:
    """Mean, contrast and motion (0..1) of every second of one stream: (seconds, 3)."""
    generator = load_generator(load_preset("ember"), width=size[0], height=size[1], device="cpu", dtype="float32")
    params = dataclasses.replace(ChunkParams().with_prompts((prompt,)), seed=seed)
    rows, last = [], None
    try:
        while len(rows) < seconds * RATE_HZ:
            chunk = generator.generate_chunk(params)
            for frame in chunk.frames[..., :3].astype(np.float32) / 255.0:
                rows.append((frame.mean(), frame.std(), 0.0 if last is None else np.abs(frame - last).mean()))
                last = frame
    finally:
        generator.close()
    whole = int(len(rows) // RATE_HZ)
    return np.array(rows[: int(whole * RATE_HZ)]).reshape(whole, int(RATE_HZ), 3).mean(axis=1)


def drift(seconds: np.ndarray, reference_s: float) -> dict[str, float]:
    """How far ten-second means leave the first ones, as shares; and the least motion of any second but the first."""
    span = int(reference_s)
    parts = [seconds[start : start + span].mean(axis=0) for start in range(0, len(seconds) - span + 1, span)]
    changes = np.abs(np.array(parts) / parts[0] - 1.0).max(axis=0)
    return {"mean": float(changes[0]), "contrast": float(changes[1]), "least_motion": float(seconds[1:, 2].min())}


def run(seconds: float = SECONDS, prompts: tuple[str, ...] = PROMPTS, size: tuple[int, int] = (256, 144)) -> dict:
    """Stream every prompt and return the figures; raises AssertionError when one freezes, fades or burns out."""
    figures: dict[str, float] = {}
    started = time.monotonic()
    for seed, prompt in enumerate(prompts):
        found = drift(stream(prompt, seed, seconds, size), REFERENCE_S)
        figures |= {f"{prompt}: {name}": round(value, 4) for name, value in found.items()}
        assert found["least_motion"] > SMALLEST_MOTION, f"{prompt!r} stands still: {found}"
        assert max(found["mean"], found["contrast"]) <= TOLERANCE, f"{prompt!r} drifts: {found}"
    figures["frames_per_second"] = round(len(prompts) * seconds * RATE_HZ / (time.monotonic() - started), 1)
    return figures
