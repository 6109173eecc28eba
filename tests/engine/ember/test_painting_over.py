"""ember painted over an input: the picture follows its own source, the less the more noise there is."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from engine.generator import Generator
from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import ChunkParams
from tests.engine.video_in.drawn_input import DrawnInput, drawn_frame

SIZE = (128, 80)
CHUNKS = 2
OTHER = 50.0  # phase of another way
PARAMS = dataclasses.replace(ChunkParams().with_prompts(("violet smoke drifting slowly",)), input_on=True, seed=3)


def light(frames: np.ndarray) -> np.ndarray:
    """Brightness over the picture, (T, H * W), without its mean."""
    grey = frames[..., :3].mean(-1).reshape(len(frames), -1)
    return grey - grey.mean(1, keepdims=True)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    one, other = light(one), light(other)
    return float(((one * other).sum(1) / np.sqrt((one**2).sum(1) * (other**2).sum(1) + 1e-9)).mean())


def painted(generator: Generator, noise: float, phase: float = 0.0) -> np.ndarray:
    generator.hard_cut()
    generator.connect_inputs({1: DrawnInput(SIZE, phase)})
    params = dataclasses.replace(PARAMS, input_noise=noise)
    return np.concatenate([generator.generate_chunk(params).frames for _ in range(CHUNKS)])


def test_the_picture_follows_its_own_source_and_noise_lets_it_go():
    torch.set_num_threads(1)
    generator = load_generator(load_preset("ember"), width=SIZE[0], height=SIZE[1], device="cpu", dtype="float32")
    made = {noise: painted(generator, noise) for noise in (0.0, 0.4, 0.7, 0.85, 1.0)}
    count = len(made[0.0])
    source, other = (np.stack([drawn_frame(k, SIZE, phase) for k in range(count)]) for phase in (0.0, OTHER))
    far = [float(np.sqrt(np.square(frames.astype(float) - source).mean())) for frames in made.values()]
    assert far == sorted(far), "the distance to the source grows with the noise"
    likeness = [alike(frames, source) for frames in made.values()]
    assert likeness == sorted(likeness, reverse=True)
    elsewhere = painted(generator, 0.7, OTHER)
    assert alike(made[0.7], source) - alike(made[0.7], other) > 0.3
    assert alike(elsewhere, other) - alike(elsewhere, source) > 0.3
    generator.close()
