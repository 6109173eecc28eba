"""VACE's blocks in a stream: the base untouched without them, what attends to what, which steps are guided."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from engine.caches.rolling_cache import RollingCache
from engine.model.attention import FullAttention
from engine.model.block import TextKeysValues
from engine.model.config import ModelConfig
from engine.model.rope import rotation_table
from engine.model.transformer import CausalWanTransformer, initialise, initialise_vace
from engine.model.vace import Guide, VaceBlock, hints, streaming_attention
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import Schedule
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

CONFIG = dataclasses.replace(TINY, num_layers=4, vace_layers=(0, 2), vace_in_dim=24)
PLAIN = dataclasses.replace(CONFIG, vace_layers=())
SIZE = (LATENT_HEIGHT, LATENT_WIDTH)
TIMESTEPS = (1000.0, 800.0, 500.0)
CPU = torch.device("cpu")


def context(frames: int, seed: int = 20) -> Tensor:
    """A context (1, F, 24, h, w)."""
    return torch.randn(1, frames, CONFIG.vace_in_dim, *SIZE, generator=torch.Generator().manual_seed(seed))


def guide(frames: int = 3, scales: float | tuple[float, ...] = 1.0, references: int = 0, seed: int = 20) -> Guide:
    memory = streaming_attention(CONFIG, references + frames, SIZE, CPU)
    return Guide(context(references + frames, seed), memory, scales, references)


def without_vace(model: CausalWanTransformer) -> CausalWanTransformer:
    """The same base weights in a model that has no VACE at all."""
    plain = CausalWanTransformer(PLAIN).requires_grad_(False)
    plain.load_state_dict({name: t for name, t in model.state_dict().items() if not name.startswith("vace_")})
    return plain


def stream(model: CausalWanTransformer, guides: Sequence[Guide | None], chunks: int = 4) -> tuple[Tensor, RollingCache]:
    """A stream whose every step i is given guides[i], and the cache it leaves."""
    cache = RollingCache(model.config, *SIZE)
    text, schedule, made = model.encode_text(tiny_prompt()), Schedule(5.0), []
    for chunk in range(chunks):
        cache.begin_chunk(3)
        first, *renoises = (tiny_latents(3, seed=100 * chunk + step) for step in range(3))
        asked: list[int] = []

        def guide_of(step: int, asked: list[int] = asked) -> Guide | None:
            asked.append(step)
            return guides[step]

        *_, last = denoise_chunk(model, cache, text, first, renoises, TIMESTEPS, schedule, StepChanges(guide=guide_of))
        assert asked == [0, 1, 2]
        clean_pass(model, cache, text, last.x0)
        made.append(last.x0)
    return torch.cat(made, dim=1), cache


@torch.inference_mode()
def test_without_a_guide_or_at_scale_0_it_is_the_base_bit_for_bit() -> None:
    model = tiny_transformer(CONFIG)
    plain, base_cache = stream(without_vace(model), [None] * 3)
    for guides in ([None] * 3, [guide(scales=0.0)] * 3, [guide(scales=(0.0, 0.0))] * 3):
        made, cache = stream(model, guides)
        assert torch.equal(made, plain)
        assert all(torch.equal(a, b) for a, b in zip(cache.keys, base_cache.keys, strict=True))
    guided, cache = stream(model, [guide()] * 3)
    assert (guided - plain).abs().max() > 0.1
    assert len(cache.keys) == CONFIG.num_layers  # nothing of VACE is kept


@torch.inference_mode()
def test_vace_off_runs_none_of_its_blocks_and_a_scale_per_layer_no_more_than_needed() -> None:
    model = tiny_transformer(CONFIG)
    ran: list[int] = []
    for block in model.vace_blocks:
        block.register_forward_hook(lambda block, *_: ran.append(block.layer))
    text, memory = model.encode_text(tiny_prompt()), streaming_attention(CONFIG, 3, SIZE, CPU)

    def blocks_run(given: Guide | None) -> list[int]:
        ran.clear()
        model(tiny_latents(3), torch.full((1, 3), 900.0), text, memory, given)
        return list(ran)

    assert blocks_run(None) == []
    assert blocks_run(guide(scales=0.0)) == []
    assert blocks_run(guide(scales=(1.0, 0.0))) == [0]
    assert blocks_run(guide(scales=(0.0, 1.0))) == [0, 1]
    assert blocks_run(guide(scales=0.5)) == [0, 1]
    model.remember(tiny_latents(3), torch.zeros(1, 3), text, FirstChunk())
    assert ran == [0, 1]  # the clean pass is the base's own


class FirstChunk:
    """Full attention that takes what a clean pass stores."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return streaming_attention(CONFIG, 3, SIZE, CPU).attend(layer, q, k, v)

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        assert layer == CONFIG.num_layers - 1


@torch.inference_mode()
def test_steps_are_guided_one_by_one() -> None:
    model = tiny_transformer(CONFIG)
    free, _ = stream(model, [None] * 3, chunks=1)
    every, _ = stream(model, [guide()] * 3, chunks=1)
    first, _ = stream(model, [guide(), None, None], chunks=1)
    last, _ = stream(model, [None, None, guide()], chunks=1)
    weaker, _ = stream(model, [None, None, guide(scales=0.1)], chunks=1)
    assert len({tensor.sum().item() for tensor in (free, every, first, last, weaker)}) == 5
    assert (weaker - free).norm() < (last - free).norm()


@torch.inference_mode()
def test_the_first_chunk_of_a_stream_is_what_the_whole_model_makes_of_a_clip() -> None:
    model = tiny_transformer(CONFIG)
    text, times = model.encode_text(tiny_prompt()), torch.full((1, 3), 900.0)
    cache = RollingCache(CONFIG, *SIZE)
    cache.begin_chunk(3)
    streamed = model(tiny_latents(3), times, text, cache, guide())
    whole = FullAttention(rotation_table(3, LATENT_HEIGHT // 2, LATENT_WIDTH // 2, CONFIG.head_dim))
    clip = model(tiny_latents(3), times, text, whole, Guide(context(3), whole))
    assert torch.allclose(streamed, clip, atol=1e-5)


def hints_of(model: CausalWanTransformer, given: Guide, x: Tensor | None = None) -> list[Tensor]:
    """Every layer's hint for the tokens of a chunk."""
    x = model.embed_patches(tiny_latents(3)) if x is None else x
    _, time6 = model.embed_time(torch.full((1, 3), 900.0))
    text: list[TextKeysValues] = model.encode_text(tiny_prompt())[CONFIG.num_layers :]
    tokens = model.vace_patch_embedding(given.context.transpose(1, 2)).flatten(3).permute(0, 2, 3, 1)
    found = list(hints(model.vace_blocks, tokens, x, time6, text, given))
    assert all(hint is not None and hint.shape == x.shape for hint in found)
    return found


@torch.inference_mode()
def test_references_are_seen_and_move_no_control_frame() -> None:
    model = tiny_transformer(CONFIG)
    with_two = guide(references=2)
    other = dataclasses.replace(with_two, context=torch.cat([context(2, seed=30), with_two.context[:, 2:]], dim=1))
    for mine, theirs in zip(hints_of(model, with_two), hints_of(model, other), strict=True):
        assert (mine - theirs).abs().amax(dim=(0, 2, 3)).min() > 1e-3  # every frame of the chunk sees them
    # without attention between tokens a hint of frame f comes from control frame f alone, whatever stands before it
    for block in model.vace_blocks:
        block.self_attn.o.weight.zero_()
    for moved in range(3):
        changed = with_two.context.clone()
        changed[:, 2 + moved] += 1.0
        pairs = zip(
            hints_of(model, with_two), hints_of(model, dataclasses.replace(with_two, context=changed)), strict=True
        )
        for mine, theirs in pairs:
            differs = (mine - theirs).abs().amax(dim=(0, 2, 3)) > 1e-6
            assert differs.tolist() == [frame == moved for frame in range(3)]
    alone = Guide(with_two.context[:, 2:], streaming_attention(CONFIG, 3, SIZE, CPU))
    for mine, theirs in zip(hints_of(model, with_two), hints_of(model, alone), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


@torch.inference_mode()
def test_references_take_the_positions_before_the_chunk() -> None:
    model = tiny_transformer(CONFIG)
    whole = guide(frames=5)  # five frames of a clip whose first two are empty in the latents
    x = model.embed_patches(tiny_latents(3))
    padded = torch.cat([torch.zeros_like(x[:, :2]), x], dim=1)
    _, time6 = model.embed_time(torch.full((1, 1), 900.0))
    text = model.encode_text(tiny_prompt())[CONFIG.num_layers :]
    tokens = model.vace_patch_embedding(whole.context.transpose(1, 2)).flatten(3).permute(0, 2, 3, 1)
    clip = list(hints(model.vace_blocks, tokens, padded, time6, text, whole))
    streamed = hints_of(model, dataclasses.replace(whole, reference_frames=2))
    for mine, theirs in zip(streamed, clip, strict=True):
        assert torch.allclose(mine, theirs[:, 2:], atol=1e-6)


@torch.inference_mode()
def test_a_context_may_serve_a_batch_and_may_be_shorter() -> None:
    model = tiny_transformer(CONFIG)
    x = model.embed_patches(torch.cat([tiny_latents(3), tiny_latents(3, seed=9)]))
    both = hints_of(model, guide(), x)
    for number in range(2):
        alone = hints_of(model, guide(), x[number : number + 1])
        assert all(torch.allclose(a, b[number : number + 1], atol=1e-6) for a, b in zip(alone, both, strict=True))
    short = dataclasses.replace(guide(), context=context(2))
    model.vace_patch_embedding.bias.zero_()  # then nothing given is zero tokens
    padded = dataclasses.replace(guide(), context=torch.cat([context(2), torch.zeros_like(context(1))], dim=1))
    assert all(torch.allclose(a, b) for a, b in zip(hints_of(model, short), hints_of(model, padded), strict=True))


@torch.inference_mode()
def test_what_does_not_fit_is_refused() -> None:
    model, memory = tiny_transformer(CONFIG), streaming_attention(CONFIG, 3, SIZE, CPU)
    text, times = model.encode_text(tiny_prompt()), torch.full((1, 3), 900.0)
    with pytest.raises(ValueError, match="3 scales are given for 2 VACE layers"):
        model(tiny_latents(3), times, text, memory, guide(scales=(1.0, 1.0, 1.0)))
    with pytest.raises(ValueError, match="5 frames is longer than 1 references and 3 frames"):
        model(tiny_latents(3), times, text, memory, dataclasses.replace(guide(5), reference_frames=1))
    plain = without_vace(model)
    with pytest.raises(ValueError, match="without VACE layers"):
        plain(tiny_latents(3), times, plain.encode_text(tiny_prompt()), memory, guide())
    for layers in ((2, 0), (1, 1), (0, 4), (-1,)):
        with pytest.raises(ValueError, match="must rise and lie within 0 to 3"):
            dataclasses.replace(CONFIG, vace_layers=layers)
    with pytest.raises(ValueError, match="vace_in_dim 0"):
        ModelConfig(vace_in_dim=0)


def test_fresh_vace_weights_begin_at_the_base_and_learn() -> None:
    model = CausalWanTransformer(CONFIG)
    initialise(model, torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.head.head.weight, std=0.1, generator=torch.Generator().manual_seed(1))
    initialise_vace(model, torch.Generator().manual_seed(2))
    assert torch.equal(model.vace_blocks[1].ffn[0].weight, model.blocks[2].ffn[0].weight)
    text, times = model.encode_text(tiny_prompt()), torch.full((1, 3), 900.0)
    memory, latents = streaming_attention(CONFIG, 3, SIZE, CPU), tiny_latents(3)
    flow = model(latents, times, text, memory, guide())
    assert torch.equal(flow, model(latents, times, text, memory))
    flow.square().mean().backward()
    assert all(block.after_proj.weight.grad.abs().max() > 0 for block in model.vace_blocks)
    with pytest.raises(ValueError, match="no VACE layers"):
        initialise_vace(without_vace(model), torch.Generator())


def test_a_block_has_27_tensors_and_its_projections() -> None:
    model = tiny_transformer(CONFIG)
    names = [set(block.state_dict()) for block in model.vace_blocks]
    own = set(model.blocks[0].state_dict())
    assert len(own) == 27
    after = {"after_proj.weight", "after_proj.bias"}
    assert names == [own | after | {"before_proj.weight", "before_proj.bias"}, own | after]
    assert all(isinstance(block, VaceBlock) for block in model.vace_blocks)
