"""Noise in the published order, against the draws written out as the published program makes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from engine.generator import Generator
from engine.model.step_lists import PUBLISHED_STEPS
from engine.reward_forcing.noise_order import PublishedNoise
from engine.schedule import Schedule
from tests.engine.naive_stream import NaiveStream
from tests.engine.test_generator import CONFIG, PARAMS, HashEncoder, make_generator
from tests.engine.tiny import tiny_transformer

SHAPE = (16, 4, 6)
SEED, STEPS = 3, 4
CPU = torch.device("cpu")


def written_out(prompts: int, samples: int, frames: int, chunk: int) -> list[tuple[Tensor, list[list[Tensor]]]]:
    """Per prompt the noise (S, F, C, h, w) and per chunk what is re-noised with, off the one global generator."""
    torch.manual_seed(SEED)
    clips = []
    for _ in range(prompts):
        noise = torch.randn([samples, frames, *SHAPE], dtype=torch.bfloat16)
        chunks = []
        for start in range(0, frames, chunk):
            x0 = noise[:, start : start + chunk]
            fresh = [torch.randn_like(x0.flatten(0, 1)).unflatten(0, x0.shape[:2]) for _ in range(STEPS - 1)]
            chunks.append(fresh)
        clips.append((noise, chunks))
    return clips


@pytest.mark.parametrize("samples", [1, 3])
def test_every_draw_is_the_published_one(samples: int) -> None:
    with torch.random.fork_rng():
        expected = written_out(2, samples, 9, 3)
    noise = PublishedNoise(SEED, samples, latent_frames=8)
    noise.attach(CPU, SHAPE, 3)
    assert noise.latent_frames == 9, "whole chunks"
    for first, chunks in expected:
        for sample in range(samples):
            noise.begin_clip(sample)
            for number, fresh in enumerate(chunks):
                start, *others = noise.take(3, STEPS)
                assert torch.equal(start, first[sample : sample + 1, 3 * number : 3 * number + 3])
                assert all(torch.equal(a, b[sample : sample + 1]) for a, b in zip(others, fresh, strict=True))


def test_more_than_was_drawn_is_refused() -> None:
    noise = PublishedNoise(SEED, 1, latent_frames=3)
    noise.attach(CPU, SHAPE, 3)
    noise.begin_clip(0)
    noise.take(3, STEPS)
    with pytest.raises(ValueError, match="noise was drawn for 3"):
        noise.take(3, STEPS)


@pytest.fixture
def generator() -> Iterator[Generator]:
    made = make_generator()
    yield made
    made.close()


@torch.inference_mode()
def test_a_clip_equals_the_plain_equations_fed_with_that_noise(generator: Generator) -> None:
    noise = PublishedNoise(SEED, 1, latent_frames=6)
    generator.take_noise_from(noise)
    noise.begin_clip(0)
    text = PARAMS.prompt_texts[0]
    params = PARAMS.with_prompts((text,))
    made = []
    for _ in range(2):
        generator.generate_chunk(params)
        made.append(generator._state.unfinished.x0[0])
    weights = {name: tensor.double() for name, tensor in tiny_transformer(CONFIG).state_dict().items()}
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        whole = torch.randn([1, 6, *SHAPE], dtype=torch.bfloat16)[0]
        naive = NaiveStream(weights, dataclasses.asdict(CONFIG) | {"sink_decay": 0.999}, 4, 6)
        embedding = HashEncoder().encode(text).double()
        finished = []
        for start in (0, 3):
            fresh = [torch.randn([3, *SHAPE], dtype=torch.bfloat16) for _ in range(STEPS - 1)]
            steps = list(Schedule(5.0).warp(PUBLISHED_STEPS))
            results = naive.generate(whole[start : start + 3].double(), torch.stack(fresh).double(), steps, embedding)
            finished.append(results["x0.s3"])
    difference = (torch.cat(made) - torch.cat(finished)).abs().max()
    assert difference < 1e-4, difference
