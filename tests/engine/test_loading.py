"""Loading from published files: little memory of its own, float8 weights, the same numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.checkpoints import CheckpointError, load_into, read_checkpoint
from engine.loading import load_transformer
from engine.model.cast_linear import FLOAT8, CastLinear, narrow_linears, to_float8
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import load_preset
from tests.engine.published_files import SMALLEST, write_published
from tests.engine.tiny import TINY, tiny_transformer

CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parents[2]
LINEARS = {f"blocks.{n}.ffn.{m}": FLOAT8 for n in range(TINY.num_layers) for m in (0, 2)}


def float8_model() -> CausalWanTransformer:
    with torch.device("meta"):
        model = CausalWanTransformer(TINY)
    narrow_linears(model, LINEARS)
    return model


def test_a_float8_weight_is_near_its_own() -> None:
    weight = torch.randn(32, 64, generator=torch.Generator().manual_seed(0))
    stored, scale = to_float8(weight)
    error = (stored.float() * scale - weight).abs() / weight.abs().amax(dim=1, keepdim=True)
    assert error.max() < 0.04  # three bits of mantissa, at the top of each row's range
    linear = CastLinear(stored, scale, torch.ones(32))
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(linear(x), torch.nn.functional.linear(x, stored.float() * scale, torch.ones(32)))
    linear.narrow(2 * weight)
    assert torch.allclose(linear.widened(), 2 * stored.float() * scale)
    assert linear(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("scale_name", ["scale_weight", "weight_scale"])
def test_scaled_and_plain_float8_files_load_into_either_model(tmp_path: Path, scale_name: str) -> None:
    weights = tiny_transformer(TINY).state_dict()
    scaled, plain, expected = dict(weights), dict(weights), dict(weights)
    for name in (f"{linear}.weight" for linear in LINEARS):
        scale = weights[name].abs().max() / 448
        scaled[name] = (weights[name] / scale).to(FLOAT8)
        scaled[f"{name.removesuffix('weight')}{scale_name}"] = scale.reshape(1)
        expected[name] = scaled[name].float() * scale
        plain[name] = weights[name].to(FLOAT8)
    scaled["scaled_fp8"] = torch.zeros(2, dtype=FLOAT8)
    save_file(scaled, tmp_path / "scaled.safetensors")
    save_file(plain, tmp_path / "plain.safetensors")
    narrow, wide = float8_model(), CausalWanTransformer(TINY)
    load_into(narrow, tmp_path / "scaled.safetensors")
    load_into(wide, tmp_path / "scaled.safetensors")
    assert narrow.blocks[0].ffn[0].weight.dtype == FLOAT8
    for name in LINEARS:
        assert torch.equal(narrow.get_submodule(name).widened(), expected[f"{name}.weight"])
        assert torch.equal(wide.get_submodule(name).weight, expected[f"{name}.weight"])
    unscaled = float8_model()
    load_into(unscaled, tmp_path / "plain.safetensors")
    for name in LINEARS:
        assert torch.equal(unscaled.get_submodule(name).widened(), plain[f"{name}.weight"].float())


def test_wide_files_are_narrowed_while_they_load(tmp_path: Path) -> None:
    weights = tiny_transformer(TINY).state_dict()
    save_file(weights, tmp_path / "wide.safetensors")
    model = float8_model()
    done: list[int] = []
    load_into(model, tmp_path / "wide.safetensors", advance=done.append)
    assert sum(done) == sum(tensor.nbytes for tensor in weights.values())
    for name in LINEARS:
        stored, scale = to_float8(weights[f"{name}.weight"])
        assert torch.equal(model.get_submodule(name).widened(), stored.float() * scale)


def test_not_a_number_is_found_in_float8_too(tmp_path: Path) -> None:
    weights = tiny_transformer(TINY).state_dict()
    weights["blocks.0.ffn.0.weight"] = torch.full_like(weights["blocks.0.ffn.0.weight"], float("nan")).to(FLOAT8)
    save_file(weights, tmp_path / "nan.safetensors")
    with pytest.raises(CheckpointError, match="NaN or infinite"):
        load_into(float8_model(), tmp_path / "nan.safetensors")


def test_writing_to_a_mapped_weight_leaves_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.checkpoints.MAPPED_BYTES", 0)
    preset = load_preset(str(write_published(tmp_path)))
    before = preset.transformer_file.read_bytes()
    model, _ = load_transformer(preset, CPU, torch.float32)
    model.head.head.weight.add_(1.0)
    assert preset.transformer_file.read_bytes() == before
    fresh = read_checkpoint(preset.transformer_file).tensors["head.head.weight"]
    assert torch.equal(fresh + 1.0, model.head.head.weight)


WATCHED = """
import sys, threading, time
from pathlib import Path
import torch
from engine.loading import load_model
from engine.model_presets import load_preset
from engine.plans.memory_plan import MemoryPlan
import engine.text.umt5, transformers.models.umt5.modeling_umt5

def anonymous():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

torch.set_num_threads(1)
small = load_preset(sys.argv[1])
load_model(small, MemoryPlan("cpu"), torch.device("cpu"), torch.float32)
peak = before = anonymous()
is_over = False

def watch():
    global peak
    while not is_over:
        peak = max(peak, anonymous())
        time.sleep(0.001)

thread = threading.Thread(target=watch)
thread.start()
kept = load_model(load_preset(sys.argv[2]), MemoryPlan("cpu"), torch.device("cpu"), torch.float32)
is_over = True
thread.join()
print(max(peak, anonymous()) - before)
"""


def test_a_large_model_takes_little_memory_of_its_own(tmp_path: Path) -> None:
    """The published layout at 470 MB; the whole one is tests/long/whole_pipeline.py."""
    import dataclasses

    transformer = dataclasses.replace(
        SMALLEST.transformer, dim=768, ffn_dim=4096, num_heads=6, num_layers=6, text_dim=512
    )
    umt5 = dataclasses.replace(
        SMALLEST.umt5, vocabulary=64000, width=512, layers=4, heads=8, head_width=64, feed_forward=1024
    )
    sizes = dataclasses.replace(SMALLEST, transformer=transformer, umt5=umt5)
    large = write_published(tmp_path / "large", sizes)
    small = write_published(tmp_path / "small")
    files_bytes = sum(path.stat().st_size for path in large.rglob("*.p*t*"))
    largest_bytes = 64000 * 512 * 2
    environment = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(small), str(large)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    grown_bytes = int(done.stdout.split()[-1])
    assert files_bytes > 300e6
    assert grown_bytes <= 2 * largest_bytes, f"{grown_bytes / 1e6:.0f} MB of {files_bytes / 1e6:.0f}"
