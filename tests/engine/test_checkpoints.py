"""Checkpoints of every flavour load whole; everything that cannot be loaded is refused with one clear sentence."""

import argparse
import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine import key_maps
from engine.checkpoint_kinds import grouped, likely_kind
from engine.checkpoints import CheckpointError, load_into, read_checkpoint
from engine.model.config import WAN_1_3B, WAN_14B, ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.vae.wan_vae import WanVae, WanVaeConfig

TINY = ModelConfig(dim=24, ffn_dim=32, num_heads=2, num_layers=3, freq_dim=8, text_dim=10, text_len=4)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """Random weights of the tiny transformer under the published names."""
    torch.manual_seed(5)
    return {name: torch.randn_like(t) for name, t in CausalWanTransformer(TINY).state_dict().items()}


def tiny_model() -> CausalWanTransformer:
    """A tiny transformer whose weights are all zero."""
    model = CausalWanTransformer(TINY)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model


def assert_holds(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Check that every weight arrived."""
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())


def prefixed(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Put `prefix` before every name."""
    return {prefix + name: tensor for name, tensor in weights.items()}


def fsdp_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as a trainer writes them inside its wrappers."""
    return {
        "model._fsdp_wrapped_module."
        + name.replace("self_attn", "_checkpoint_wrapped_module.self_attn").replace("ffn.", "_orig_mod.ffn."): tensor
        for name, tensor in weights.items()
    }


FLAVOURS: dict[str, tuple[Callable[[dict[str, Tensor]], dict[str, object]], str]] = {
    "bare": (dict, "original"),
    "published": (lambda w: prefixed(w, "model."), "reward-forcing"),
    "generator": (lambda w: {"generator": prefixed(w, "model."), "critic": {"x": torch.ones(1)}}, "nested (generator)"),
    "beside_ema": (
        lambda w: {"generator": fsdp_names(w), "generator_ema": {n: t + 1 for n, t in w.items()}, "step": 7},
        "nested (generator)",
    ),
    "empty_ema": (lambda w: {"generator_ema": {}, "generator": w}, "nested (generator)"),
    "model": (lambda w: {"model": w, "epoch": 3}, "nested (model)"),
    "diffusers": (lambda w: {key_maps.dit_to_diffusers(name): t for name, t in w.items()}, "diffusers"),
}


@pytest.mark.parametrize("name", FLAVOURS)
def test_every_flavour_of_pickle_loads(tmp_path: Path, weights: dict[str, Tensor], name: str) -> None:
    arrange, flavour = FLAVOURS[name]
    torch.save(arrange(weights), tmp_path / "model.pt")
    model = tiny_model()
    report = load_into(model, tmp_path / "model.pt")
    assert_holds(model, weights)
    assert (report.flavour, report.loaded, report.missing, report.extra) == (flavour, len(weights), (), ())


@pytest.mark.parametrize("name", ["bare", "published", "diffusers"])
def test_every_flavour_of_safetensors_loads(tmp_path: Path, weights: dict[str, Tensor], name: str) -> None:
    arrange, flavour = FLAVOURS[name]
    save_file(arrange(weights), tmp_path / "model.safetensors", metadata={"made by": "a test"})
    model = tiny_model()
    assert load_into(model, str(tmp_path / "model.safetensors")).flavour == flavour
    assert_holds(model, weights)
    assert read_checkpoint(tmp_path / "model.safetensors").metadata == {"made by": "a test"}


def test_pickles_of_before_the_zip_format_load(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    torch.save(weights, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    model = tiny_model()
    load_into(model, tmp_path / "old.pth")
    assert_holds(model, weights)


def test_the_content_decides_and_not_the_suffix(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file(weights, tmp_path / "renamed.pt")
    torch.save(weights, tmp_path / "renamed.safetensors")
    for name in ("renamed.pt", "renamed.safetensors"):
        model = tiny_model()
        load_into(model, tmp_path / name)
        assert_holds(model, weights)


def test_a_safetensors_header_that_begins_like_a_pickle_is_one_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    header = json.dumps({"head.head.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).ljust(0x80)
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + struct.pack("<f", 1.5))
    assert path.read_bytes().startswith(b"\x80")
    assert read_checkpoint(path).tensors["head.head.bias"].tolist() == [1.5]


def split(folder: Path, weights: dict[str, Tensor]) -> None:
    """Write weights as a split folder with its index."""
    names = sorted(weights)
    half = len(names) // 2
    places = {}
    for number, part in enumerate((names[:half], names[half:]), start=1):
        file = f"diffusion_pytorch_model-{number:05}-of-00002.safetensors"
        save_file({name: weights[name] for name in part}, folder / file)
        places |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))


def test_a_split_diffusers_folder_loads(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    split(tmp_path, FLAVOURS["diffusers"][0](weights))
    model = tiny_model()
    assert load_into(model, tmp_path).flavour == "diffusers"
    assert_holds(model, weights)


def test_a_folder_with_one_model_file_loads(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file(weights, tmp_path / "diffusion_pytorch_model.safetensors")
    torch.save({}, tmp_path / "models_t5_umt5-xxl-enc-bf16.pth")
    model = tiny_model()
    load_into(model, tmp_path)
    assert_holds(model, weights)


def test_weights_take_the_models_dtype_and_the_file_stays_as_it_is(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file(weights, tmp_path / "model.safetensors")
    with torch.device("meta"):
        model = CausalWanTransformer(TINY).bfloat16()
    load_into(model, tmp_path / "model.safetensors", device=torch.device("cpu"))
    assert_holds(model, {name: tensor.bfloat16() for name, tensor in weights.items()})
    with torch.no_grad():
        model.patch_embedding.bias += 1.0
    again = tiny_model()
    load_into(again, tmp_path / "model.safetensors")
    assert_holds(again, weights)


def test_an_autoencoder_loads_from_both_layouts_and_from_the_meta_device(tmp_path: Path) -> None:
    config = WanVaeConfig(dim=2)
    state = WanVae(config).state_dict()
    torch.save(state, tmp_path / "Wan2.1_VAE.pth")
    save_file({key_maps.vae_to_diffusers(name): t for name, t in state.items()}, tmp_path / "vae.safetensors")
    for name in ("Wan2.1_VAE.pth", "vae.safetensors"):
        with torch.device("meta"):
            vae = WanVae(config)
        load_into(vae, tmp_path / name)
        assert_holds(vae, state)
        frames, _ = vae.decode(torch.zeros(1, 1, 16, 2, 2), None)
        assert frames.isfinite().all()


def refusal(path: Path, model: nn.Module | None = None) -> str:
    """The message with which a file is refused; the model must be untouched by it."""
    model = model or tiny_model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_into(model, path)
    assert all(t.is_meta or torch.equal(t, before[n]) for n, t in model.state_dict().items())
    message = str(caught.value)
    assert str(path) in message.splitlines()[0]
    assert "Traceback" not in message
    return message


def test_keys_that_do_not_fit_are_reported_whole_and_grouped(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    spoiled = {name: tensor for name, tensor in weights.items() if not name.endswith("ffn.2.weight")}
    spoiled |= {f"blocks.{i}.self_attn.q.weight": torch.zeros(30, 30) for i in (0, 2)}
    spoiled["blocks.9.surprise"] = torch.zeros(1)
    save_file(spoiled, tmp_path / "model.safetensors")
    lines = refusal(tmp_path / "model.safetensors").splitlines()
    assert lines[1:] == [
        "  missing (3):",
        "    blocks.[0-2].ffn.2.weight  (3)",
        "  extra (1):",
        "    blocks.9.surprise",
        "  misshapen (2):",
        "    blocks.[0,2].self_attn.q.weight  (2): 30x30 in the file, 24x24 in the model",
    ]


def test_not_strict_takes_what_fits_and_says_what_did_not(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file({**weights, "vace_blocks.0.modulation": torch.zeros(1)}, tmp_path / "model.safetensors")
    report = load_into(tiny_model(), tmp_path / "model.safetensors", strict=False)
    assert (report.missing, report.extra) == ((), ("vace_blocks.0.modulation",))


def meta_state(config: ModelConfig) -> dict[str, Tensor]:
    """The state dict of a full-size model without its memory."""
    with torch.device("meta"):
        return CausalWanTransformer(config).state_dict()


def test_a_14b_checkpoint_is_called_one(tmp_path: Path) -> None:
    # Only the tensors that tell width and depth: the whole file would be 28 GB.
    wide = {
        name: torch.zeros(tensor.shape, dtype=torch.float16)
        for name, tensor in meta_state(WAN_14B).items()
        if name == "patch_embedding.weight" or name.endswith("modulation")
    }
    save_file(wide, tmp_path / "model.safetensors")
    with torch.device("meta"):
        model = CausalWanTransformer(WAN_1_3B)
    message = refusal(tmp_path / "model.safetensors", model).splitlines()
    assert "this is a 14B text-to-video checkpoint (width 5120, 40 blocks)" in message[0]
    assert "the model to fill is a 1.3B text-to-video checkpoint (width 1536, 30 blocks)" in message[0]
    assert "    blocks.[0-29].modulation  (30): 1x6x5120 in the file, 1x6x1536 in the model" in message


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        ({n: tuple(t.shape) for n, t in meta_state(WAN_1_3B).items()}, "a 1.3B text-to-video checkpoint (width 1536"),
        ({n: tuple(t.shape) for n, t in meta_state(WAN_14B).items()}, "a 14B text-to-video checkpoint"),
        ({"blocks.0.self_attn.q.lora_A.weight": (32, 5120)}, "a LoRA file for a 14B model"),
        ({"lora_unet_blocks_0_ffn_0.lora_up.weight": (8960, 64)}, "a LoRA file for a 1.3B model"),
        ({"decoder.upsamples.0.residual.0.gamma": (384, 1, 1, 1)}, "a Wan VAE"),
        ({"decoder.up_blocks.0.x": (1,), "post_quant_conv.weight": (48, 48, 1, 1, 1)}, "48 latent channels"),
        ({"decoder.1.weight": (256, 16, 3, 3), "decoder.3.conv.0.weight": (256, 512, 3, 3)}, "a TAEHV"),
        ({"vace_blocks.0.modulation": (1, 6, 1536)}, "a VACE module"),
        ({"token_embedding.weight": (256384, 4096), "blocks.0.norm1.weight": (4096,)}, "a text encoder"),
        ({"encoder.block.0.layer.0.SelfAttention.q.weight": (4096, 4096)}, "a text encoder"),
        ({"visual.transformer.0.norm1.weight": (1280,)}, "a CLIP encoder"),
        ({"patch_embedding.weight": (5120, 36, 1, 2, 2), "img_emb.proj.0.weight": (1280,)}, "14B image-to-video (I2V)"),
        ({"patch_embedding.weight": (3072, 48, 1, 2, 2)}, "a 5B image-to-video or other (48 input channels)"),
        ({"double_blocks.0.img_mod.lin.bias": (1,)}, "no Wan model known here (first key: double_blocks.0.img_mod"),
        ({}, "a file without weights"),
    ],
)
def test_a_file_is_known_by_its_names_and_shapes(shapes: dict[str, tuple[int, ...]], kind: str) -> None:
    assert kind in likely_kind(shapes)


def test_numbers_are_gathered_in_ranges() -> None:
    names = [f"blocks.{i}.ffn.{j}.bias" for i in (0, 1, 2, 5) for j in (0, 2)]
    assert grouped([*names, "head.modulation"]) == ["blocks.[0-2,5].ffn.[0,2].bias  (8)", "head.modulation"]


def test_files_that_are_none_are_named_as_what_they_are(tmp_path: Path) -> None:
    contents = {
        "empty.safetensors": (b"", "empty (0 bytes)"),
        "page.pt": (b"<!DOCTYPE html><html>", "a web page, probably a failed download"),
        "pointer.safetensors": (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        "model.gguf": (b"GGUF\3\0\0\0" + b"\0" * 64, "a GGUF file"),
        "notes.pt": (b"hello, these are not weights", "neither a safetensors file nor a PyTorch one"),
        "header.safetensors": (struct.pack("<Q", 8) + b'{"a": 1 ', "truncated or damaged"),
        "cut.pt": (b"PK\3\4" + b"\0" * 60, "truncated or damaged"),
        "cut.pth": (b"\x80\x02}q\x00", "truncated or damaged"),
    }
    for name, (content, complaint) in contents.items():
        (tmp_path / name).write_bytes(content)
        assert complaint in refusal(tmp_path / name)


@pytest.mark.parametrize("suffix", ["safetensors", "pt", "old.pt"])
@pytest.mark.parametrize("keep", [0.02, 0.5, 0.999])
def test_truncated_files_are_refused(tmp_path: Path, weights: dict[str, Tensor], suffix: str, keep: float) -> None:
    path = tmp_path / f"model.{suffix}"
    if suffix == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=suffix == "pt")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    assert "truncated or damaged" in refusal(path)


def test_missing_files_and_unclear_folders_say_what_to_do(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file(weights, tmp_path / "reward_forcing.safetensors")
    assert "did you mean reward_forcing.safetensors?" in refusal(tmp_path / "rewardforcing.safetensors")
    assert "no folder" in refusal(tmp_path / "nowhere" / "model.pt")
    (tmp_path / "transformer").mkdir()
    save_file(weights, tmp_path / "other.safetensors")
    message = refusal(tmp_path)
    assert "2 weight files" in message
    assert "transformer/" in message


def test_a_split_folder_with_a_lost_part_names_it(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    split(tmp_path, weights)
    index_path = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index = json.loads(index_path.read_text())
    index["weight_map"]["blocks.7.modulation"] = "diffusion_pytorch_model-00001-of-00002.safetensors"
    index_path.write_text(json.dumps(index))
    assert "1 keys of" in refusal(tmp_path)
    (tmp_path / "diffusion_pytorch_model-00002-of-00002.safetensors").unlink()
    assert "1 of 2 files named in" in refusal(tmp_path)
    index_path.write_text("{not json")
    with pytest.raises(CheckpointError, match="not a readable index"):
        load_into(tiny_model(), tmp_path)


def test_a_pickle_that_needs_more_than_weights_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"generator": {}, "args": argparse.Namespace(seed=1)}, tmp_path / "model.pt")
    message = refusal(tmp_path / "model.pt")
    assert "it asks for argparse.Namespace" in message
    assert "save its tensors alone as .safetensors" in message


def test_pickles_of_something_else_are_refused(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    assert "it holds a Tensor, not a dict of weights" in refusal(tmp_path / "tensor.pt")
    torch.save({"step": 3, "critic": {"a": torch.ones(1)}}, tmp_path / "critic.pt")
    assert "its entries: critic, step" in refusal(tmp_path / "critic.pt")
    torch.save({"generator_lora": {"a.lora_A.weight": torch.ones(1)}}, tmp_path / "lora.pt")
    assert "a LoRA of 1 tensors" in refusal(tmp_path / "lora.pt")
    torch.save({"a.b": torch.ones(1), "_orig_mod.a.b": torch.ones(1)}, tmp_path / "double.pt")
    assert "two keys become a.b" in refusal(tmp_path / "double.pt")


def test_values_that_cannot_be_used_are_listed(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    spoiled = dict(weights)
    spoiled["blocks.1.norm3.bias"] = torch.full((24,), float("nan"))
    spoiled["head.head.bias"] = torch.tensor([float("inf"), float("-inf")] * 32)
    for i in range(3):
        name = f"blocks.{i}.ffn.0.weight"
        spoiled[name] = weights[name].to(torch.int8)
    save_file(spoiled, tmp_path / "model.safetensors")
    lines = refusal(tmp_path / "model.safetensors").splitlines()
    assert lines[1:3] == ["  of element type int8 (3):", "    blocks.[0-2].ffn.0.weight  (3)"]
    assert lines[3] == "  with NaN or infinite values (2):"
    assert sorted(lines[4:]) == ["    blocks.1.norm3.bias", "    head.head.bias"]


def test_large_finite_values_are_no_fault(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    loud = {**weights, "head.head.bias": torch.full((64,), 3e38)}
    save_file(loud, tmp_path / "model.safetensors")
    model = tiny_model()
    load_into(model, tmp_path / "model.safetensors")
    assert_holds(model, loud)
