"""The fused path in its plain form: the same bits as the model's own forward, whatever the memory, guided or not."""

import dataclasses

import pytest
import torch

import engine.golden
from engine.acceleration import Acceleration
from engine.caches.rolling_cache import RollingCache
from engine.caches.slot_cache import SlotCache
from engine.golden import stream_output
from engine.kernels.choice import fused_kernels, prepare_model, stream_shapes
from engine.kernels.fused_block import fuse
from engine.kernels.modulation_table import ModulationTable
from engine.kernels.plain import PLAIN
from engine.model.vace import Guide, streaming_attention
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule
from tests.engine.cuda_graphs.test_golden_paths import GATE, SHIPPED, FoldedPaths, FoldingCache, RecordedPaths
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

GUIDED = dataclasses.replace(TINY, vace_layers=(0, 1), vace_in_dim=8)
SIZE = (LATENT_HEIGHT, LATENT_WIDTH)


def play(model, cache, guide=None):
    """Five chunks; the fourth evicts."""
    text, schedule, made = model.encode_text(tiny_prompt()), Schedule(5.0), []
    timesteps = schedule.warp(PUBLISHED_STEPS)
    for chunk in range(5):
        cache.begin_chunk(3, "ema_fp32", 0.9)
        first, *rest = (tiny_latents(3, seed=10 * chunk + i) for i in range(4))
        changes = StepChanges(guide=lambda _: guide)
        *_, last = denoise_chunk(model, cache, text, first, rest, timesteps, schedule, changes)
        clean_pass(model, cache, text, last.x0)
        made.append(last.x0)
    return torch.cat(made, 1)


@pytest.mark.parametrize("is_guided", [False, True])
@torch.inference_mode()
def test_fused_blocks_make_the_same_bits(is_guided):
    guide = None
    if is_guided:
        context = torch.randn(1, 4, 8, *SIZE, generator=torch.Generator().manual_seed(4))
        guide = Guide(context, streaming_attention(GUIDED, 4, SIZE, torch.device("cpu")), 1.0, reference_frames=1)
    expected = play(tiny_transformer(GUIDED), RollingCache(GUIDED, *SIZE), guide)
    for kind in (RollingCache, SlotCache):
        model = tiny_transformer(GUIDED)
        fuse(model, PLAIN)
        assert torch.equal(play(model, kind(GUIDED, *SIZE), guide), expected)


@torch.inference_mode()
def test_folded_modulations_are_the_same_bits_and_are_made_once():
    for is_fused in (False, True):
        model = tiny_transformer(GUIDED)
        if is_fused:
            fuse(model, PLAIN)
        text, table, latents = model.encode_text(tiny_prompt()), ModulationTable(model), tiny_latents(3)
        context = torch.randn(1, 4, 8, *SIZE)
        memory = streaming_attention(GUIDED, 4, SIZE, torch.device("cpu"))
        guide = Guide(context, memory, 1.0, reference_frames=1)
        for timesteps in ((937.5,), (0.0, 0.0, 1000.0)):
            tensor = torch.tensor([timesteps])
            outcomes = []
            for times in (tensor, table.at(*timesteps)):
                cache = SlotCache(GUIDED, *SIZE)
                cache.begin_chunk(3)
                outcomes.append(model(latents, times, text, cache, guide))
                model.remember(latents, times, text, cache)
                outcomes.append(torch.stack(cache.values))
            assert torch.equal(outcomes[0], outcomes[2])
            assert torch.equal(outcomes[1], outcomes[3])
        assert table.at(937.5) is table.at(937.5)
        kept = table.at(937.5)
        table.forget()
        assert table.at(937.5) is not kept
        kept.copy_(table.at(250.0))
        assert torch.equal(kept.blocks[1].rows, table.at(250.0).blocks[1].rows)


def test_a_cpu_takes_the_plain_path():
    model = tiny_transformer()
    prepared = prepare_model(model, Acceleration(), SIZE)
    assert fused_kernels(torch.device("cpu")) is None
    assert (prepared.kernels, prepared.linears, prepared.narrowed, prepared.attention) == ("plain", "exact", (), {})
    assert all(block.fused is None for block in model.blocks)


def test_the_shapes_of_a_stream():
    shapes = [(shape.queries, shape.keys) for shape in stream_shapes(TINY, SIZE, torch.bfloat16)]
    assert shapes == [(18, 54), (6, 54), (18, 4), (6, 4)]


@pytest.mark.parametrize("paths", [RecordedPaths, FoldedPaths])
def test_the_golden_file_through_fused_blocks_recorded_and_folded(paths, monkeypatch):
    stand_in = paths()
    monkeypatch.setattr(engine.golden, "denoise_chunk", stand_in.denoise_chunk)
    monkeypatch.setattr(engine.golden, "clean_pass", stand_in.clean_pass)
    if paths is FoldedPaths:
        monkeypatch.setattr(engine.golden, "SlotCache", FoldingCache)
    made, expected = stream_output(SHIPPED, torch.device("cpu"), torch.float32, lambda model: fuse(model, PLAIN))
    assert (made - expected).abs().max() < GATE
    assert stand_in.recorder.recordings > 2
