"""`python -m engine lora` on ember's own weights: inspect, convert, merge and extract agree with one another."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.chunk_source import SourceChoice, SourceError, load_files, load_source
from engine.lora.__main__ import main
from engine.lora.lora_file import read_lora
from engine.lora.slots import lora_values
from engine.lora.writing import STYLES
from engine.model_presets import load_preset
from engine.params import ChunkParams

EMBER = load_preset("ember").transformer_file
MODULES = ("blocks.0.self_attn.q", "blocks.3.ffn.0", "head.head")


@pytest.fixture
def lora(tmp_path):
    weights = load_file(EMBER)
    dice = torch.Generator().manual_seed(0)
    tensors = {}
    for module in MODULES:
        rows, columns = weights[f"{module}.weight"].shape
        tensors[f"diffusion_model.{module}.lora_A.weight"] = 0.1 * torch.randn(4, columns, generator=dice)
        tensors[f"diffusion_model.{module}.lora_B.weight"] = 0.1 * torch.randn(rows, 4, generator=dice)
        tensors[f"diffusion_model.{module}.alpha"] = torch.tensor(2.0)
    path = tmp_path / "look.safetensors"
    save_file(tensors, path, {"base_model": "ember"})
    return path


def shapes():
    return {name: tuple(tensor.shape) for name, tensor in load_file(EMBER).items()}


def test_inspect_says_style_rank_and_metadata(lora, capsys):
    assert main(["inspect", str(lora)]) == 0
    told = capsys.readouterr().out
    assert "ComfyUI, 3 modules" in told
    assert "rank 4 (3); alpha / rank [0.5]" in told
    assert "base_model = ember" in told


def test_inspect_of_a_file_that_is_no_lora_fails_with_a_sentence(capsys):
    assert main(["inspect", str(EMBER)]) == 1
    assert "nothing in it fits this model" in capsys.readouterr().out


@pytest.mark.parametrize("style", STYLES)
def test_converting_changes_names_and_nothing_else(lora, tmp_path, style):
    out = tmp_path / f"{style}.safetensors"
    assert main(["convert", str(lora), str(out), "--style", style]) == 0
    before, after = read_lora(lora, shapes()), read_lora(out, shapes())
    assert after.style == style
    for module, change in before.modules.items():
        shape = torch.Size(shapes()[f"{module}.weight"])
        twin = after.modules[module].weight_delta(shape, torch.device("cpu"))
        assert torch.equal(change.weight_delta(shape, torch.device("cpu")), twin)


def test_what_is_merged_can_be_extracted_again(lora, tmp_path, capsys):
    merged, taken = tmp_path / "merged.safetensors", tmp_path / "taken.safetensors"
    assert main(["merge", str(EMBER), f"{lora}:0.5", "--out", str(merged)]) == 0
    base, sum_of = load_file(EMBER), load_file(merged)
    assert {name for name in base if not torch.equal(base[name], sum_of[name])} == {f"{m}.weight" for m in MODULES}
    assert main(["extract", str(EMBER), str(merged), "--rank", "4", "--out", str(taken)]) == 0
    assert "3 modules" in capsys.readouterr().out
    wanted, found = read_lora(lora, shapes()), read_lora(taken, shapes())
    for module in MODULES:
        shape = torch.Size(shapes()[f"{module}.weight"])
        delta = 0.5 * wanted.modules[module].weight_delta(shape, torch.device("cpu"))
        # ember's weights are float16: what is merged is rounded to it
        assert (found.modules[module].weight_delta(shape, torch.device("cpu")) - delta).abs().max() < 2e-3


def test_two_equal_checkpoints_have_nothing_to_extract(tmp_path, capsys):
    assert main(["extract", str(EMBER), str(EMBER), "--out", str(tmp_path / "a.safetensors")]) == 1
    assert "nothing to take out" in capsys.readouterr().err


def test_a_clip_changes_with_the_weight_and_at_zero_is_the_clip_without(lora, tmp_path):
    def frames(*loras):
        source = load_source(SourceChoice("ember", (64, 48), "cpu", "float32", 1))
        try:
            params = dataclasses.replace(ChunkParams.from_values(lora_values(loras)), seed=5)
            load_files(source, params)
            return source.generate_chunk(params.with_prompts(("red plasma",))).frames
        finally:
            source.close()

    plain, silent, half = frames(), frames(f"{lora}:0"), frames(f"{lora}:0.5")
    assert np.array_equal(plain, silent)
    assert not np.array_equal(plain, half)


def test_a_missing_lora_is_a_sentence(tmp_path):
    source = load_source(SourceChoice("ember", (64, 48), "cpu", "float32", 1))
    try:
        with pytest.raises(SourceError, match=r"nosuch: there is no such LoRA file"):
            load_files(source, ChunkParams.from_values(lora_values(["nosuch"])))
    finally:
        source.close()
