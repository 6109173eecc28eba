"""A stream made while training is the stream that plays live, and its gradients go where the plan says."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from engine.caches.rolling_cache import RollingCache
from engine.generator import Generator
from engine.model.attention import scaled_dot_product
from engine.model.rope import rotate
from engine.model.transformer import CausalWanTransformer
from engine.noise import latent_frame_noise
from engine.params import ChunkParams
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.rollout import RolloutPlan, roll_out
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_prompt, tiny_transformer
from tests.engine.training.played_model import PlainEncoder, StillDecoder

TIMESTEPS = Schedule(TINY.timestep_shift).warp(PUBLISHED_STEPS)


def _noise(frames: int, batch: int = 1, seed: int = 3) -> Tensor:
    shape = (len(TIMESTEPS), batch, frames, TINY.in_dim, LATENT_HEIGHT, LATENT_WIDTH)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def _streamed(
    model: CausalWanTransformer, noise: Tensor, steps: int, sink_mode: str, chunk_frames: int = 3
) -> tuple[Tensor, RollingCache]:
    """The stream by the sampler alone, as the instrument calls it."""
    text = model.encode_text(tiny_prompt())
    cache, made = RollingCache(TINY, LATENT_HEIGHT, LATENT_WIDTH), []
    for own in noise[:steps].split(chunk_frames, dim=2):
        cache.begin_chunk(chunk_frames, sink_mode)
        chunk = denoise_chunk(
            model, cache, text, own[0], list(own[1:]), TIMESTEPS[:steps], Schedule(TINY.timestep_shift)
        )
        *_, last = chunk
        clean_pass(model, cache, text, last.x0)
        made.append(last.x0)
    return torch.cat(made, dim=1), cache


@pytest.mark.parametrize("sink_mode", ["static", "parity_bf16", "ema_fp32"])
@pytest.mark.parametrize("is_detached", [True, False])
@pytest.mark.parametrize("exit_step", [0, 3])
def test_a_rollout_equals_the_sampler_for_the_same_noise(sink_mode: str, is_detached: bool, exit_step: int) -> None:
    model, noise = tiny_transformer().requires_grad_(True), _noise(15)
    plan = RolloutPlan(TIMESTEPS, exit_step, is_detached=is_detached, sink_mode=sink_mode)
    made = roll_out(model, model.encode_text(tiny_prompt()), noise, plan)
    assert made.requires_grad
    expected, _ = _streamed(model, noise, exit_step + 1, sink_mode)
    torch.testing.assert_close(made.detach(), expected, atol=1e-5, rtol=0)


def test_a_rollout_of_single_frames_equals_the_sampler() -> None:
    model, noise = tiny_transformer().requires_grad_(True), _noise(13)
    made = roll_out(model, model.encode_text(tiny_prompt()), noise, RolloutPlan(TIMESTEPS, chunk_frames=1))
    expected, _ = _streamed(model, noise, 4, "static", 1)
    torch.testing.assert_close(made.detach(), expected, atol=1e-5, rtol=0)


def test_a_rollout_equals_what_the_generator_plays() -> None:
    model, seed, frames = tiny_transformer(), 11, 15
    decoder = StillDecoder()
    generator = Generator(
        model, decoder, PlainEncoder(), name="t", size=(LATENT_WIDTH * 8, LATENT_HEIGHT * 8), rate_fps=16.0,
        timesteps=TIMESTEPS,
    )  # fmt: skip
    params = ChunkParams(seed=seed, prompt_texts=("a tunnel",), prompt_weights=(1.0,), sink_mode="parity_bf16")
    try:
        for _ in range(frames // 3):
            generator.generate_chunk(params)
    finally:
        generator.close()
    shape = (TINY.in_dim, LATENT_HEIGHT, LATENT_WIDTH)
    noise = torch.stack(
        [
            torch.stack([torch.from_numpy(latent_frame_noise(seed, frame, step, shape)) for frame in range(frames)])
            for step in range(4)
        ]
    )[:, None]
    text = model.encode_text(PlainEncoder().encode("a tunnel")[None])
    made = roll_out(model.requires_grad_(True), text, noise, RolloutPlan(TIMESTEPS, sink_mode="parity_bf16"))
    torch.testing.assert_close(made.detach(), torch.cat(decoder.latents, dim=1), atol=1e-5, rtol=0)


def _gradients(plan: RolloutPlan, noise: Tensor, of_frames: slice) -> dict[str, Tensor]:
    model = tiny_transformer().requires_grad_(True)
    made = roll_out(model, model.encode_text(tiny_prompt()), noise, plan)
    made[:, of_frames].square().sum().backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def test_gradients_of_the_last_chunk_equal_a_pass_over_a_finished_cache() -> None:
    noise, exit_step = _noise(12), 2
    found = _gradients(RolloutPlan(TIMESTEPS, exit_step, grad_chunks=1), noise, slice(9, 12))
    model = tiny_transformer().requires_grad_(True)
    _, cache = _streamed(model, noise[:, :, :9], exit_step + 1, "static")
    cache.begin_chunk(3, "static")
    start, end = cache.first_slot * cache.tokens_per_frame, cache.filled_frames * cache.tokens_per_frame
    text, schedule = model.encode_text(tiny_prompt()), Schedule(TINY.timestep_shift)
    with torch.no_grad():
        chunk = denoise_chunk(
            model, cache, text, noise[0, :, 9:], list(noise[1:, :, 9:]), TIMESTEPS[:exit_step], schedule
        )
        *_, before = chunk
        sigma = schedule.sigma(TIMESTEPS[exit_step])
        x = (1 - sigma) * before.x0 + sigma * noise[exit_step, :, 9:]

    class Plain:
        def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            keys = torch.cat((cache.keys[layer][:, :start].clone(), k), dim=1)
            values = torch.cat((cache.values[layer][:, :start].clone(), v), dim=1)
            return scaled_dot_product(rotate(q, cache._table[start:end]), rotate(keys, cache._table[:end]), values)

    flow = model(x, torch.full((1, 3), TIMESTEPS[exit_step]), text, Plain())
    (x - sigma * flow).square().sum().backward()
    for name, p in model.named_parameters():
        torch.testing.assert_close(found[name], p.grad, atol=1e-4, rtol=1e-4)


def test_a_detached_cache_passes_no_gradient_to_earlier_chunks() -> None:
    noise = _noise(15)
    last, whole = slice(12, 15), slice(0, 15)
    only_last = _gradients(RolloutPlan(TIMESTEPS, 1, grad_chunks=1), noise, last)
    detached = _gradients(RolloutPlan(TIMESTEPS, 1), noise, last)
    attached = _gradients(RolloutPlan(TIMESTEPS, 1, is_detached=False), noise, last)
    name = "blocks.0.self_attn.k.weight"
    torch.testing.assert_close(detached[name], only_last[name], atol=1e-6, rtol=1e-5)
    assert (attached[name] - detached[name]).abs().max() > 1e-4 * detached[name].abs().max()
    everything = _gradients(RolloutPlan(TIMESTEPS, 1), noise, whole)
    assert not torch.allclose(everything[name], detached[name])


def test_an_attached_cache_passes_gradients_straight_through_the_clean_pass() -> None:
    """Of two chunks, against a formula: clean values, gradients to the graded step's keys and values."""
    noise = _noise(6)
    found = _gradients(RolloutPlan(TIMESTEPS, 0, is_detached=False), noise, slice(3, 6))
    model = tiny_transformer().requires_grad_(True)
    text = model.encode_text(tiny_prompt())
    seen: dict[str, dict[int, tuple[Tensor, Tensor]]] = {"noisy": {}, "clean": {}}
    table = RollingCache(TINY, LATENT_HEIGHT, LATENT_WIDTH)._table
    tokens = 3 * 6

    class First:
        def __init__(self, which: str) -> None:
            self.which = which

        def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            self.store(layer, k, v)
            return scaled_dot_product(rotate(q, table[:tokens]), rotate(k, table[:tokens]), v)

        def store(self, layer: int, k: Tensor, v: Tensor) -> None:
            seen[self.which][layer] = (k, v)

    class Second:
        def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            pairs = zip(seen["noisy"][layer], seen["clean"][layer], strict=True)
            old_k, old_v = (clean.detach() + noisy - noisy.detach() for noisy, clean in pairs)
            keys, values = torch.cat((old_k, k), dim=1), torch.cat((old_v, v), dim=1)
            return scaled_dot_product(rotate(q, table[tokens : 2 * tokens]), rotate(keys, table[: 2 * tokens]), values)

    times = torch.full((1, 3), TIMESTEPS[0])
    x0 = noise[0, :, :3] - model(noise[0, :, :3], times, text, First("noisy"))
    model.remember(x0.detach(), torch.zeros(1, 3), text, First("clean"))
    x1 = noise[0, :, 3:] - model(noise[0, :, 3:], times, text, Second())
    x1.square().sum().backward()
    for name, p in model.named_parameters():
        torch.testing.assert_close(found[name], p.grad, atol=1e-4, rtol=1e-4)


def test_recomputed_activations_give_the_same_gradients_when_frames_leave_the_window() -> None:
    noise = _noise(15)
    plan = RolloutPlan(TIMESTEPS, 1, is_detached=False, sink_mode="parity_bf16")
    plain = _gradients(plan, noise, slice(0, 15))
    model = tiny_transformer().requires_grad_(True)
    for block in model.blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    made = roll_out(model, model.encode_text(tiny_prompt()), noise, plan)
    made.square().sum().backward()
    for name, p in model.named_parameters():
        torch.testing.assert_close(p.grad, plain[name], atol=1e-5, rtol=1e-4)


def test_steps_with_gradient_reach_back_through_the_renoising_unless_their_inputs_are_stopped() -> None:
    noise, base = _noise(3), RolloutPlan(TIMESTEPS)
    name = "blocks.1.ffn.0.weight"
    last, tail, stopped = (
        _gradients(plan, noise, slice(0, 3))[name]
        for plan in (
            base,
            dataclasses.replace(base, grad_steps=(2, 3)),
            dataclasses.replace(base, grad_steps=(2, 3), stops_inputs=True),
        )
    )
    assert not torch.allclose(last, tail)
    assert not torch.allclose(tail, stopped)
    assert not torch.allclose(last, stopped)  # every planned step is still reached, past the later ones' networks


def test_frames_that_are_no_whole_chunks_are_refused() -> None:
    with pytest.raises(ValueError, match="7 latent frames are no whole number of chunks of 3"):
        roll_out(tiny_transformer(), [], _noise(7), RolloutPlan(TIMESTEPS))
