"""VACE's weights from every published kind of file, beside any base, and a model that plays on without them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine import key_maps
from engine.ember.weights import write_weights
from engine.generator_loading import load_generator
from engine.loading import load_model, load_transformer, with_vace
from engine.lora.mixer import LoraMixer
from engine.lora.slots import LoraWeight
from engine.model.cast_linear import FLOAT8, CastLinear
from engine.model.transformer import CausalWanTransformer
from engine.model.vace import Guide, streaming_attention
from engine.model_presets import ModelPreset, PresetError, VacePreset, check_files, load_preset, missing_vace
from engine.params import ChunkParams
from engine.plans.memory_plan import MemoryChoice, MemoryPlan, plan
from engine.plans.needs import vace_bytes, vace_parameters
from tests.engine.small_model import CONFIG, write_small_model
from tests.engine.tiny import tiny_prompt, tiny_transformer

CPU = torch.device("cpu")
GUIDED = dataclasses.replace(CONFIG, vace_layers=(0, 1))
SIZE = (4, 6)
BOTH = MemoryPlan("cpu", vace_note="")
TABLE = '[vace]\nfile = "vace.safetensors"\nlayers = [0, 1]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small model whose preset names a VACE file that is not there yet."""
    made = write_small_model(tmp_path)
    with (made / "model.toml").open("a", encoding="utf-8") as preset:
        preset.write(TABLE)
    return made


def weights(seed: int = 1) -> dict[str, Tensor]:
    """A whole transformer with VACE of another seed than the small model's own."""
    return tiny_transformer(GUIDED, seed=seed).state_dict()


def vace_of(everything: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in everything.items() if name.startswith("vace_")}


def flow(model: CausalWanTransformer, scale: float) -> Tensor:
    """What a model makes of fixed latents, a prompt and a context."""
    generator = torch.Generator().manual_seed(0)
    latents, context = (torch.randn(1, 3, channels, *SIZE, generator=generator) for channels in (16, 96))
    memory = streaming_attention(model.config, 3, SIZE, CPU)
    given = Guide(context, memory, scale) if scale else None
    with torch.inference_mode():
        return model(latents, torch.full((1, 3), 900.0), model.encode_text(tiny_prompt(CONFIG)), memory, given)


@pytest.mark.parametrize("kind", ["module", "checkpoint", "diffusers checkpoint", "diffusers module", "prefixed pt"])
def test_every_kind_of_file_guides_a_base_of_its_own(folder: Path, kind: str) -> None:
    everything = weights()
    chosen = vace_of(everything) if "module" in kind else everything
    if "diffusers" in kind:
        chosen = {key_maps.dit_to_diffusers(name): tensor for name, tensor in chosen.items()}
    if kind == "prefixed pt":
        torch.save({f"model.{name}": tensor for name, tensor in chosen.items()}, folder / "vace.safetensors")
    else:
        save_file(chosen, folder / "vace.safetensors")
    preset = load_preset(str(folder))
    assert missing_vace(preset) == ""
    parts = load_model(preset, BOTH, CPU, torch.float32)
    assert parts.vace_note == ""
    base = load_file(preset.transformer_file)  # written in 16 bits
    expected = {name: tensor.float() for name, tensor in base.items()} | vace_of(everything)
    found = parts.transformer.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)  # nothing of the other base
    plain, _ = load_transformer(preset, CPU, torch.float32)
    assert torch.equal(flow(parts.transformer, 0.0), flow(plain, 0.0))
    assert (flow(parts.transformer, 1.0) - flow(plain, 0.0)).abs().max() > 0.05


def test_a_checkpoint_with_vace_may_be_the_models_own(folder: Path) -> None:
    save_file(weights(), folder / "transformer.safetensors")
    text = (folder / "model.toml").read_text("utf-8").replace('file = "vace.safetensors"\n', "")
    (folder / "model.toml").write_text(text, "utf-8")
    preset = load_preset(str(folder))
    assert preset.vace == VacePreset(preset.transformer_file, (0, 1))
    parts = load_model(preset, BOTH, CPU, torch.float32)
    assert all(torch.equal(found, weights()[name]) for name, found in parts.transformer.state_dict().items())
    alone, _ = load_transformer(dataclasses.replace(preset, vace=None), CPU, torch.float32)
    assert alone.config.vace_layers == ()  # and without the table it is a base


def test_what_ember_ships_is_read_back(folder: Path) -> None:
    file, config = folder / "vace.safetensors", dataclasses.asdict(GUIDED)
    write_weights(file, "vace", config, vace_of(weights()))
    preset = load_preset(str(folder))
    parts = load_model(preset, BOTH, CPU, torch.float32)
    found = parts.transformer.vace_blocks[1].after_proj.weight
    assert torch.equal(found, weights()["vace_blocks.1.after_proj.weight"].half().float())
    write_weights(file, "vace", config | {"vace_layers": [0, 2]}, vace_of(weights()))  # as many, but others
    note = load_model(preset, BOTH, CPU, torch.float32).vace_note
    assert "its hints are for the layers [0, 2], the preset gives them to [0, 1]" in note


@pytest.mark.parametrize("fault", ["missing", "module of others", "no vace", "short", "torn"])
def test_a_model_plays_without_vace_and_says_why(folder: Path, fault: str) -> None:
    file, module = folder / "vace.safetensors", vace_of(weights())
    if fault == "module of others":
        save_file({name: torch.zeros(*(2 * side for side in t.shape)) for name, t in module.items()}, file)
    elif fault == "no vace":
        save_file(tiny_transformer(CONFIG).state_dict(), file)
    elif fault == "short":
        save_file({name: t for name, t in module.items() if not name.startswith("vace_blocks.1.ffn")}, file)
    elif fault == "torn":
        file.write_bytes(b"\x80\x02torn")
    preset = load_preset(str(folder))
    chosen = plan(preset, (48, 32), 0, device="cpu")
    parts = load_model(preset, chosen, CPU, torch.float32)
    expected = {
        "missing": "its VACE weights are not on this machine",
        "module of others": "a VACE module (width 96, 2 blocks)",
        "no vace": "without VACE's weights",
        "short": "its keys do not fit the model",
        "torn": "truncated or damaged",
    }
    assert expected[fault] in parts.vace_note
    assert "\n" not in parts.vace_note
    assert parts.transformer.config.vace_layers == ()
    plain, _ = load_transformer(preset, CPU, torch.float32)
    assert torch.equal(flow(parts.transformer, 0.0), flow(plain, 0.0))


def test_a_generator_says_why_nothing_guides_it_and_refuses_to_render_so(folder: Path) -> None:
    asked = ChunkParams.from_values({"/vj/vace/on": True})
    generator = load_generator(load_preset(str(folder)), device="cpu", threads=1)
    try:
        assert "its VACE weights are not on this machine" in generator.vace_note
        generator.load_guides(ChunkParams())
        with pytest.raises(ValueError, match="its VACE weights are not on this machine"):
            generator.load_guides(asked)
    finally:
        generator.close()
    save_file(vace_of(weights()), folder / "vace.safetensors")
    for memory, note in ((MemoryChoice(), ""), (MemoryChoice(with_vace=False), "VACE was left out (--no-vace)")):
        generator = load_generator(load_preset(str(folder)), device="cpu", threads=1, memory=memory)
        generator.close()
        assert generator.vace_note == note


def test_blocks_in_float8_and_mapped_ones_guide_as_wide_ones_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file({name: t.bfloat16() for name, t in weights().items()}, folder / "vace.safetensors")
    preset = load_preset(str(folder))
    base, _ = load_transformer(preset, CPU, torch.float32)
    wide = with_vace(base, preset, CPU, torch.float32)
    narrow_base, _ = load_transformer(preset, CPU, torch.float32, is_float8=True)
    narrow = with_vace(narrow_base, preset, CPU, torch.float32, is_float8=True)
    for linear in (narrow.vace_blocks[0].before_proj, narrow.vace_blocks[1].after_proj, narrow.vace_blocks[1].ffn[0]):
        assert isinstance(linear, CastLinear)
        assert linear.weight.dtype == FLOAT8
    difference = (flow(narrow, 1.0) - flow(wide, 1.0)).std() / flow(wide, 1.0).std()
    assert difference < 0.15
    monkeypatch.setattr("engine.loading.MAPPED_BYTES", 0)
    mapped = with_vace(load_transformer(preset, CPU, torch.float32)[0], preset, CPU, torch.float32)
    assert mapped.vace_blocks[1].after_proj.weight.dtype == torch.bfloat16
    assert torch.allclose(flow(mapped, 1.0), flow(wide, 1.0), atol=1e-5)


@pytest.mark.parametrize("style", ["published", "diffusers", "kohya"])
def test_a_lora_reaches_the_vace_blocks_and_leaves_them_as_they_were(folder: Path, style: str) -> None:
    save_file(vace_of(weights()), folder / "vace.safetensors")
    preset = load_preset(str(folder))
    model = with_vace(load_transformer(preset, CPU, torch.float32)[0], preset, CPU, torch.float32)
    module = "vace_blocks.1.self_attn.q"
    if style == "diffusers":
        module = "transformer." + key_maps.dit_to_diffusers(f"{module}.weight").removesuffix(".weight")
    elif style == "kohya":
        module = "lora_unet_" + module.replace(".", "_")
    ends = ("lora_down.weight", "lora_up.weight") if style == "kohya" else ("lora_A.weight", "lora_B.weight")
    generator = torch.Generator().manual_seed(3)
    down, up = torch.randn(2, 48, generator=generator), torch.randn(48, 2, generator=generator)
    save_file(dict(zip((f"{module}.{end}" for end in ends), (down, up), strict=True)), folder / "lora.safetensors")
    before, free = model.vace_blocks[1].self_attn.q.weight.clone(), flow(model, 1.0)
    mixer = LoraMixer(model)
    try:
        assert mixer.apply([LoraWeight(str(folder / "lora.safetensors"), 0.5)], wait=True)
        assert torch.allclose(model.vace_blocks[1].self_attn.q.weight, before + 0.5 * up @ down, atol=1e-6)
        assert (flow(model, 1.0) - free).abs().max() > 1e-3
        mixer.apply([])
    finally:
        mixer.close()
    assert torch.equal(flow(model, 1.0), free)


def test_a_preset_without_the_file_is_ready_to_play_and_a_wrong_table_is_told(folder: Path) -> None:
    check_files(load_preset(str(folder)))  # the file is dispensable
    for wrong, told in (
        ("layers = [1, 0]", "must rise and lie within 0 to 1"),
        ("layers = [0, 2]", "must rise and lie within 0 to 1"),
        ("layers = []", "must name one layer at least"),
        ("scale = 2", "vace.scale: is unknown"),
    ):
        text = (folder / "model.toml").read_text("utf-8").replace("layers = [0, 1]", wrong)
        (folder / "wrong.toml").write_text(text, "utf-8")
        with pytest.raises(PresetError, match=told):
            load_preset(str(folder / "wrong.toml"))


def published(folder: Path) -> ModelPreset:
    """The published preset with its module there: its size alone."""
    preset = load_preset("reward-forcing")
    assert preset.vace is not None
    (folder / "module.safetensors").write_bytes(b"")
    return dataclasses.replace(preset, vace=dataclasses.replace(preset.vace, file=folder / "module.safetensors"))


def test_the_plan_counts_vace_and_gives_it_up_last(tmp_path: Path) -> None:
    preset = published(tmp_path)
    assert sum(vace_parameters(preset.guided)) == 734_975_232
    assert sum(vace_parameters(GUIDED)) == sum(t.numel() for t in vace_of(weights()).values())
    prompts = 9 * 2 * 15 * 512 * 1536 * 2
    assert vace_bytes(preset.guided, 2, is_float8=False) == 734_975_232 * 2 + prompts
    plans = [plan(preset, (832, 480), gb * 10**9, has_files=True) for gb in range(6, 40)]
    assert plans[-1].has_vace
    assert dict(plans[-1].needs)["VACE"] > 1.4e9
    first = next(step for step in plans if step.has_vace and step.fits)
    assert first.is_float8
    without = [step for step in plans if step.fits and not step.has_vace]
    assert without
    assert all(step.is_float8 and "without VACE" in step.words and step.vace_note for step in without)
    unwanted = plan(preset, (832, 480), 24 * 10**9, wanted=MemoryChoice(with_vace=False))
    assert dict(unwanted.needs)["VACE"] == 0
    assert "left out" in unwanted.vace_note
    absent = plan(load_preset("reward-forcing"), (832, 480), 24 * 10**9)
    assert "`vj models download reward-forcing`" in absent.vace_note
