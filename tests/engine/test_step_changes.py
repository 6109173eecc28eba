"""What changes between denoising steps: prompts in the middle of a chunk, and step lists between two chunks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.caches.rolling_cache import RollingCache
from engine.generator import Generator
from engine.model.step_lists import OWN_STEPS, PUBLISHED_STEPS, STEP_LISTS, name_of, steps_of
from engine.params import ChunkParams
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import Schedule
from tests.engine.naive_stream import NaiveStream
from tests.engine.test_generator import PARAMS, make_generator
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

OTHER = PARAMS.with_prompts(("ink", "fire"), (0.2, 0.8))
LIVE = dataclasses.replace(PARAMS, mid_chunk=True)


@pytest.fixture
def generator() -> Iterator[Generator]:
    made = make_generator()
    yield made
    made.close()


def frames_of(generator: Generator, params: ChunkParams, newest: Callable[[], ChunkParams] | None) -> list[np.ndarray]:
    """Three chunks of a fresh stream, the second one with `newest`."""
    generator.hard_cut()
    plain = dataclasses.replace(params, mid_chunk=False)
    chunks = [generator.generate_chunk(plain), generator.generate_chunk(params, 1, newest)]
    return [chunk.frames for chunk in (*chunks, generator.generate_chunk(plain))]


def switch_after(asked: int) -> Callable[[], ChunkParams]:
    """The other prompt from the `asked`-th question on."""
    answers = iter([LIVE] * asked)
    return lambda: next(answers, OTHER)


class PlainReference(NaiveStream):
    """One prompt per denoising step; the clean pass under the last one."""

    def chunk(self, noise: Tensor, renoise: Tensor, steps: list[float], prompts: list[Tensor]) -> Tensor:
        self.is_new_chunk = True
        x = noise
        for s, (timestep, prompt) in enumerate(zip(steps, prompts, strict=True)):
            x0 = x - self.sigma(timestep) * self.flow(x, timestep, prompt)
            if s + 1 < len(steps):
                sigma = self.sigma(steps[s + 1])
                x = (1 - sigma) * x0 + sigma * renoise[s]
        self.flow(x0, 0.0, prompts[-1])
        return x0


def test_the_same_prompt_in_the_middle_of_a_chunk_changes_not_one_bit(generator: Generator) -> None:
    plain = frames_of(generator, PARAMS, None)
    for same in (frames_of(generator, LIVE, lambda: LIVE), frames_of(generator, PARAMS, lambda: OTHER)):
        assert all(np.array_equal(a, b) for a, b in zip(plain, same, strict=True))


def test_another_prompt_is_taken_up_by_the_chunk_under_way(generator: Generator) -> None:
    plain = frames_of(generator, PARAMS, None)
    late, early = (frames_of(generator, LIVE, switch_after(asked)) for asked in (2, 0))
    for changed in (late, early):
        assert np.array_equal(plain[0], changed[0])
        assert not np.array_equal(plain[1], changed[1])
    assert not np.array_equal(early[1], late[1]), "the sooner it comes the more it changes"


@pytest.mark.parametrize("switch", [1, 2, 3])
@torch.inference_mode()
def test_a_switch_at_a_step_equals_the_plain_equations(switch: int) -> None:
    model, schedule = tiny_transformer(), Schedule(5.0)
    timesteps = schedule.warp(PUBLISHED_STEPS)
    prompts = [tiny_prompt(seed=1), tiny_prompt(seed=5)]
    texts = [model.encode_text(prompt) for prompt in prompts]
    cache = RollingCache(TINY, LATENT_HEIGHT, LATENT_WIDTH)
    weights = {name: tensor.double() for name, tensor in model.state_dict().items()}
    config = dataclasses.asdict(TINY) | {"sink_decay": 0.9}
    naive = PlainReference(weights, config, LATENT_HEIGHT, LATENT_WIDTH)
    for number in range(3):
        noise = tiny_latents(3, seed=20 + number)
        renoises = [tiny_latents(3, seed=30 + 10 * number + s) for s in range(3)]
        asked = iter([texts[int(s >= switch)] for s in range(1, 4)])
        cache.begin_chunk(3, "parity_bf16", 0.9)
        steps = denoise_chunk(
            model, cache, texts[0], noise, renoises, timesteps, schedule, StepChanges(lambda asked=asked: next(asked))
        )
        *_, last = steps
        clean_pass(model, cache, texts[1], last.x0)
        per_step = [prompts[int(s >= switch)][0].double() for s in range(4)]
        expected = naive.chunk(noise[0].double(), torch.cat(renoises).double(), list(timesteps), per_step)
        assert torch.allclose(last.x0[0].double(), expected, atol=1e-4)
    kept = torch.cat([key for key, _ in naive.frames[0]])
    assert torch.allclose(cache.keys[0][0].double(), kept, atol=1e-4), "remembered under the newest prompt"


def test_step_lists_are_legal_and_read_back() -> None:
    assert STEP_LISTS[:2] == (OWN_STEPS, "1000 750 500 250")
    assert len(STEP_LISTS) == len(set(STEP_LISTS)) == 9
    for name in STEP_LISTS[1:]:
        assert name_of(steps_of(name)) == name
        assert Schedule(5.0).warp(steps_of(name))[0] == 1000.0
    assert steps_of(OWN_STEPS) == ()


def test_a_step_list_changes_the_next_chunk_without_a_cut(generator: Generator) -> None:
    def chunks(*lists: str) -> list[np.ndarray]:
        generator.hard_cut()
        made = [generator.generate_chunk(dataclasses.replace(PARAMS, step_list=name)) for name in lists]
        assert [chunk.first_frame for chunk in made] == [0, 9, 21, 33][: len(made)]
        assert len({chunk.stream_id for chunk in made}) == 1
        return [chunk.frames for chunk in made]

    own = chunks(OWN_STEPS, OWN_STEPS, OWN_STEPS)
    spelt = chunks(OWN_STEPS, name_of(PUBLISHED_STEPS), OWN_STEPS)
    assert all(np.array_equal(a, b) for a, b in zip(own, spelt, strict=True)), "the same steps by their name"
    other = chunks(OWN_STEPS, "1000 500", OWN_STEPS)
    assert np.array_equal(own[0], other[0])
    assert not np.array_equal(own[1], other[1])


def test_fewer_steps_are_taken_from_the_list(generator: Generator) -> None:
    def first(name: str, count: int) -> np.ndarray:
        generator.hard_cut()
        params = dataclasses.replace(PARAMS, step_list=name, denoising_steps=count)
        return generator.generate_chunk(params).frames

    assert np.array_equal(first("1000 750 500 250", 2), first("1000 500", 4))
