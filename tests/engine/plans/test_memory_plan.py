"""Memory plans: the arithmetic against real modules and published figures, and what is given up in which order."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from engine.caches.rolling_cache import RollingCache
from engine.loading import load_model, plan_loading
from engine.model.cast_linear import FLOAT8, CastLinear
from engine.model.config import WAN_1_3B
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import ModelPreset, load_preset
from engine.plans.memory_plan import CONTEXT_BYTES, GIB, MemoryChoice, MemoryPlan, plan, plans_by_gpu
from engine.plans.needs import FEW_BLENDS, WAN_MEMORY, cache_bytes, transformer_bytes, transformer_parameters
from engine.quantised.layers import narrow_blocks
from engine.quantised.linears import QuantisedLinear
from engine.text.encoder_process import EncoderProcess
from engine.text.kept_embeddings import KeptEmbeddings
from engine.vae.frame_by_frame import FrameByFrame
from engine.vae.wan_vae import WanVae, WanVaeConfig
from tests.engine.published_files import write_published
from tests.engine.tiny import TINY

CPU = torch.device("cpu")
FULL = (832, 480)


@pytest.fixture
def published(tmp_path: Path) -> ModelPreset:
    """The published model, its light decoder there: sizes alone, the other files are not."""
    light = tmp_path / "taew2_1.pth"
    light.write_bytes(b"")
    preset = load_preset("reward-forcing")
    return dataclasses.replace(
        preset,
        light_decoder=dataclasses.replace(preset.light_decoder, file=light),
        text=dataclasses.replace(preset.text, file=tmp_path / "models_t5_umt5-xxl-enc-bf16.pth"),
    )


def test_parameters_are_counted_as_the_model_has_them() -> None:
    assert sum(transformer_parameters(WAN_1_3B)) == 1_418_996_800
    assert sum(transformer_parameters(TINY)) == sum(p.numel() for p in CausalWanTransformer(TINY).parameters())


def test_keys_and_values_are_counted_as_the_cache_holds_them() -> None:
    cache = RollingCache(TINY, 4, 6)
    held = sum(tensor.nbytes for tensor in (*cache.keys, *cache.values, *cache._rotated))
    prompts = 9 * 2 * TINY.num_layers * TINY.text_len * TINY.dim * 4
    assert cache_bytes(TINY, (48, 32), 4) == held + prompts


def test_a_narrow_copy_is_counted_as_the_layers_hold_it(published: ModelPreset) -> None:
    model = CausalWanTransformer(TINY)
    narrow_blocks(model, "int8")
    held = sum(
        part.nbytes for layer in model.modules() if isinstance(layer, QuantisedLinear) for part in layer.buffers()
    )
    counted = [transformer_bytes(TINY, 4, is_float8=False, is_copied=is_copied) for is_copied in (False, True)]
    assert counted[1] - counted[0] == held
    fast = dataclasses.replace(published, acceleration=published.acceleration.changed(["linears=fp8"]))
    copy = plan(fast, FULL, 0).needed_bytes - plan(published, FULL, 0).needed_bytes
    assert copy == pytest.approx(1.25e9, rel=0.01)
    # what is stored narrow already has no copy
    assert plan(fast, FULL, 8 * GIB).needs == plan(published, FULL, 8 * GIB).needs


def test_the_autoencoders_memory_is_what_it_carries() -> None:
    latents = torch.randn(1, 2, 16, 8, 8)
    with torch.inference_mode():
        _, state = WanVae(WanVaeConfig(dim=8)).eval().decode(latents, None)
    found = sum(memory.numel() for memory in state.memories) / (64 * 64 * 8)
    assert found == pytest.approx(WAN_MEMORY, rel=0.1)


def test_figures_agree_with_the_published_budget(published: ModelPreset) -> None:
    needs = dict(plan(published, FULL, 0).needs)
    assert needs["transformer"] == pytest.approx(2.84e9, rel=0.01)
    assert needs["text encoder"] == pytest.approx(11.36e9, rel=0.01)
    # published: 2.59 GB of keys and values; rotated keys are kept beside them, and nine prompts of 94 MB
    assert needs["keys and values"] == pytest.approx(2.59e9 * 1.5 + 9 * 94e6, rel=0.01)
    assert needs["video in"] == pytest.approx(1.12e9, rel=0.02)  # measured: what V2V's encoder carries
    assert transformer_bytes(WAN_1_3B, 2, is_float8=True) == pytest.approx(1.5e9, rel=0.02)


def test_every_gpu_from_24_to_8_gb_has_a_plan(published: ModelPreset) -> None:
    plans = dict(plans_by_gpu(published, FULL))
    assert all(chosen.fits for chosen in plans.values())
    assert (plans[24].text_place, plans[24].is_light, plans[24].is_float8) == ("process", False, False)
    without = plan(published, FULL, 24 * GIB - CONTEXT_BYTES, has_files=True, wanted=MemoryChoice(with_vace=False))
    assert (without.text_place, without.is_text_float8, without.is_light) == ("gpu", True, False)
    assert (plans[16].text_place, plans[16].is_light) == ("process", True)
    without = plan(published, FULL, 16 * GIB - CONTEXT_BYTES, has_files=True, wanted=MemoryChoice(with_vace=False))
    assert (without.text_place, without.is_light) == ("process", False)
    assert (plans[12].is_light, plans[12].is_float8) == (True, False)
    assert plans[12].needed_bytes <= 12e9
    assert plans[8].is_float8
    assert plans[8].kept_blends == FEW_BLENDS
    assert plans[8].needed_bytes <= 8 * GIB - CONTEXT_BYTES


def test_more_memory_never_gives_up_more(published: ModelPreset) -> None:
    def given_up(gigabytes: int) -> tuple[bool, bool, bool, bool]:
        chosen = plan(published, FULL, gigabytes * 10**9)
        return chosen.is_float8, chosen.is_light, chosen.text_place != "gpu", chosen.is_text_float8

    found = [given_up(gigabytes) for gigabytes in range(4, 40)]
    assert [row[:3] for row in found] == sorted((row[:3] for row in found), reverse=True)
    assert found[-1] == (False, False, False, False)


def test_what_does_not_fit_names_a_size_that_does(published: ModelPreset) -> None:
    chosen = plan(published, FULL, 6 * 10**9)
    assert not chosen.fits
    assert "--size 640x384 fits" in chosen.words
    assert plan(published, (640, 384), 6 * 10**9).fits
    assert "at any size" in plan(published, FULL, 10**9).words


def test_a_place_that_is_asked_for_is_taken(published: ModelPreset) -> None:
    assert plan(published, FULL, 140 * 10**9, wanted=MemoryChoice("cpu")).text_place == "cpu"
    chosen = plan(published, FULL, 16 * 10**9, wanted=MemoryChoice("gpu"))
    assert chosen.text_place == "gpu"
    assert chosen.is_light  # what it costs is saved elsewhere
    assert plan(published, FULL, 0, device="cpu", wanted=MemoryChoice("gpu")).text_place == "cpu"


def test_the_loader_obeys_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    preset = load_preset(str(write_published(tmp_path / "model")))
    told: list[str] = []
    small = load_model(preset, MemoryPlan("process", is_light=True, is_float8=True), CPU, torch.float32, told.append)
    linear = small.transformer.blocks[0].ffn[0]
    assert isinstance(linear, CastLinear)
    assert linear.weight.dtype == FLOAT8
    assert isinstance(small.decoder, FrameByFrame)
    assert isinstance(small.text_encoder, KeptEmbeddings)
    assert isinstance(small.text_encoder._encoder, EncoderProcess)
    assert small.text_encoder._encoder.process_id is None  # not before a text is asked for
    assert [sentence.split(",")[0] for sentence in told if "transformer" in sentence][
        0
    ] == "loading published: transformer"
    assert told[-1].startswith("loading published: text encoder, ")
    wide = load_model(preset, MemoryPlan("cpu"), CPU, torch.float32)
    assert type(wide.transformer.blocks[0].ffn[0]) is torch.nn.Linear
    assert not isinstance(wide.decoder, FrameByFrame)


def test_a_limit_holds_without_a_gpu_too(published: ModelPreset) -> None:
    chosen = plan_loading(published, FULL, CPU, torch.float32, MemoryChoice(limit_gb=3.0))
    assert not chosen.fits
    assert chosen.free_bytes == 3 * 10**9
