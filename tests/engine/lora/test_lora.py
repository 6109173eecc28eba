"""LoRA files: every key style gives the same weights as the formula; foreign files are refused; zero is the base."""

import json
import math

import pytest
import torch
from safetensors.torch import save_file

from engine.key_maps import dit_to_diffusers
from engine.lora.lora_file import LoraError, read_lora
from engine.lora.mixer import KEPT_MIXES, LoraMixer, find_lora
from engine.lora.slots import LoraWeight, lora_values, parse_lora, wanted_loras
from engine.model.cast_linear import FLOAT8, CastLinear, to_float8
from engine.params import ChunkParams
from engine.weight_files import CheckpointError
from tests.engine.tiny import tiny_transformer

RANK, ALPHA = 4, 2.0
TARGETS = [
    f"blocks.{n}.{name}"
    for n in (0, 1)
    for name in ("self_attn.q", "self_attn.o", "cross_attn.k", "cross_attn.v", "ffn.0", "ffn.2")
] + ["text_embedding.0", "time_embedding.2", "time_projection.1", "head.head"]


def kohya(module, down, up, alpha):
    stem = f"lora_unet_{module.replace('.', '_')}"
    return {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": alpha}


def videox_fun(module, down, up, alpha):
    return {key.replace("lora_unet_", "lora_unet__", 1): value for key, value in kohya(module, down, up, alpha).items()}


def comfyui(module, down, up, alpha):
    stem = f"diffusion_model.{module}"
    return {f"{stem}.lora_A.weight": down, f"{stem}.lora_B.weight": up, f"{stem}.alpha": alpha}


def bare(module, down, up, alpha):
    return {key.removeprefix("diffusion_model."): value for key, value in comfyui(module, down, up, alpha).items()}


def diffusers(module, down, up, alpha):
    stem = "transformer." + dit_to_diffusers(f"{module}.weight").removesuffix(".weight")
    return {f"{stem}.lora_A.weight": down, f"{stem}.lora_B.weight": up, f"{stem}.alpha": alpha}


def comfyui_down_up(module, down, up, alpha):
    stem = f"diffusion_model.{module}"
    return {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": alpha}


def diffusers_bare(module, down, up, alpha):
    return {k.removeprefix("transformer."): value for k, value in diffusers(module, down, up, alpha).items()}


def peft_saved(module, down, up, alpha):
    return {k.replace(".default.", "."): value for k, value in peft(module, down, up, alpha).items()}


def diffsynth(module, down, up, alpha):
    return {k.removeprefix("base_model.model."): value for k, value in peft(module, down, up, alpha).items()}


def peft(module, down, up, alpha):
    stem = f"base_model.model.{module}"
    return {f"{stem}.lora_A.default.weight": down, f"{stem}.lora_B.default.weight": up, f"{stem}.alpha": alpha}


STYLES = {
    "kohya": kohya, "VideoX-Fun": videox_fun, "ComfyUI": comfyui, "bare": bare, "diffusers": diffusers, "PEFT": peft,
    "ComfyUI lora_down": comfyui_down_up, "diffusers bare": diffusers_bare, "PEFT saved": peft_saved,
    "bare default": diffsynth,
}  # fmt: skip


@pytest.fixture
def model():
    return tiny_transformer()


def shapes_of(model):
    return {name: tuple(p.shape) for name, p in model.named_parameters()}


def factors(model, module, seed=0):
    out_width, in_width = dict(model.named_parameters())[f"{module}.weight"].shape
    generator = torch.Generator().manual_seed(seed + sum(module.encode()))
    shapes = ((RANK, in_width), (out_width, RANK))
    down, up = (0.3 * torch.randn(shape, generator=generator) for shape in shapes)
    return down, up


def write_lora(path, model, style="kohya", *, with_alpha=True, seed=0, modules=TARGETS, metadata=None):
    tensors = {}
    for module in modules:
        down, up = factors(model, module, seed)
        tensors |= STYLES[style](module, down, up, torch.tensor(ALPHA))
    if not with_alpha:
        tensors = {key: value for key, value in tensors.items() if not key.endswith(".alpha")}
    save_file(tensors, path, metadata)
    return path


def copy_of(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("with_alpha", [True, False])
@pytest.mark.parametrize("style", STYLES)
def test_every_key_style_gives_the_weights_of_the_formula(model, tmp_path, style, with_alpha):
    path = write_lora(tmp_path / "look.safetensors", model, style, with_alpha=with_alpha)
    base = copy_of(model)
    mixer = LoraMixer(model)
    assert mixer.apply((LoraWeight(str(path), 0.7),), wait=True)
    scale = 0.7 * (ALPHA / RANK if with_alpha else 1.0)
    for name, weight in model.named_parameters():
        module = name.removesuffix(".weight")
        expected = base[name].double()
        if name.endswith(".weight") and module in TARGETS:
            down, up = factors(model, module)
            expected = expected + scale * up.double() @ down.double()
        assert (weight - expected).abs().max() <= 1e-6
    assert style.startswith(read_lora(path, shapes_of(model)).style)
    mixer.close()


def test_any_number_of_moves_returns_to_the_base_bit_for_bit(model, tmp_path):
    base = copy_of(model)
    paths = [
        str(write_lora(tmp_path / f"{n}.safetensors", model, seed=100 * n, modules=TARGETS[n::2])) for n in range(3)
    ]
    mixer = LoraMixer(model)
    dice = torch.Generator().manual_seed(0)
    for _ in range(60):
        weights = torch.rand(3, generator=dice) * 2 - 1
        mixer.apply([LoraWeight(path, float(w)) for path, w in zip(paths, weights, strict=True)], wait=True)
    assert any(not torch.equal(p, base[name]) for name, p in model.named_parameters())
    assert mixer.apply([LoraWeight(path, 0.0) for path in paths])
    assert all(torch.equal(p, base[name]) for name, p in model.named_parameters())
    assert not mixer.apply([LoraWeight(path, 0.0) for path in paths]), "nothing moved, nothing is done"
    mixer.close()


def test_alpha_is_found_beside_the_tensors_and_can_be_overridden(model, tmp_path):
    declared = {"lora_adapter_metadata": json.dumps({"transformer.lora_alpha": 8, "transformer.use_rslora": True})}
    path = write_lora(tmp_path / "a.safetensors", model, "diffusers", with_alpha=False, metadata=declared)
    shapes = shapes_of(model)
    assert read_lora(path, shapes).modules["blocks.0.ffn.0"].scale == pytest.approx(8 / math.sqrt(RANK))
    assert read_lora(path, shapes, alpha=1.0).modules["blocks.0.ffn.0"].scale == pytest.approx(1 / math.sqrt(RANK))
    plain = write_lora(tmp_path / "b.safetensors", model, "PEFT", with_alpha=False)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_alpha": 16, "r": RANK}))
    assert read_lora(plain, shapes).modules["blocks.0.ffn.0"].scale == pytest.approx(16 / RANK)


def test_loha_lokr_and_full_differences_are_applied(model, tmp_path):
    rows, columns = model.blocks[0].ffn[0].weight.shape
    dice = torch.Generator().manual_seed(3)
    a = [torch.randn(rows, 2, generator=dice) for _ in range(2)]
    b = [torch.randn(2, columns, generator=dice) for _ in range(2)]
    first, second = torch.randn(2, 2, generator=dice), torch.randn(rows // 2, columns // 2, generator=dice)
    diff, bias = torch.randn(rows, columns, generator=dice), torch.randn(rows, generator=dice)
    stem = "diffusion_model.blocks.0.ffn.0"
    cases = {
        "loha": (
            {f"{stem}.hada_w{n + 1}_a": a[n] for n in (0, 1)} | {f"{stem}.hada_w{n + 1}_b": b[n] for n in (0, 1)},
            (a[0] @ b[0]) * (a[1] @ b[1]),
        ),
        "lokr": ({f"{stem}.lokr_w1": first, f"{stem}.lokr_w2": second}, torch.kron(first, second)),
        "diff": ({f"{stem}.diff": diff, f"{stem}.diff_b": bias}, diff),
    }
    base = copy_of(model)
    for kind, (tensors, delta) in cases.items():
        path = tmp_path / f"{kind}.safetensors"
        save_file(tensors, path)
        mixer = LoraMixer(model)
        mixer.apply((LoraWeight(str(path), 0.5),), wait=True)
        assert torch.allclose(model.blocks[0].ffn[0].weight, base["blocks.0.ffn.0.weight"] + 0.5 * delta, atol=1e-5)
        changed_bias = base["blocks.0.ffn.0.bias"] + (0.5 * bias if kind == "diff" else 0.0)
        assert torch.allclose(model.blocks[0].ffn[0].bias, changed_bias, atol=1e-6)
        mixer.apply(())
        assert all(torch.equal(p, base[name]) for name, p in model.named_parameters())
        mixer.close()


def test_files_that_do_not_fit_are_refused_with_what_they_are(model, tmp_path):
    shapes = shapes_of(model)
    big = {"diffusion_model.blocks.0.self_attn.q.lora_A.weight": torch.zeros(4, 5120)}
    big |= {"diffusion_model.blocks.0.self_attn.q.lora_B.weight": torch.zeros(5120, 4)}
    half = {"blocks.0.ffn.0.lora_A.weight": torch.zeros(4, 48)}
    dora = {"blocks.0.ffn.0.dora_scale": torch.zeros(4)}
    other = {"encoder.block.0.lora_A.weight": torch.zeros(4, 8), "encoder.block.0.lora_B.weight": torch.zeros(8, 4)}
    nan = STYLES["bare"]("blocks.0.ffn.0", *factors(model, "blocks.0.ffn.0"), torch.tensor(1.0))
    nan["blocks.0.ffn.0.lora_A.weight"][0, 0] = math.nan
    for name, tensors, words in (
        ("big", big, "for a 14B model"),
        ("half", half, "the file is incomplete"),
        ("dora", dora, "DoRA"),
        ("other", other, "nothing in it fits this model"),
        ("nan", nan, "not numbers"),
    ):
        path = tmp_path / f"{name}.safetensors"
        save_file(tensors, path)
        with pytest.raises(LoraError, match=words):
            read_lora(path, shapes)


def test_float8_weights_come_back_bit_for_bit_and_small_changes_are_not_rounded_away(model, tmp_path):
    name = "blocks.0.ffn.0"
    original = model.get_submodule(name)
    stored, scale = to_float8(original.weight)
    linear = CastLinear(stored.clone(), scale.clone(), original.bias)
    model.blocks[0].ffn[0] = linear
    path = write_lora(tmp_path / "a.safetensors", model, "ComfyUI")
    base = linear.widened()
    down, up = factors(model, name)
    mixer = LoraMixer(model)
    for weight in (1.0, -0.5, 0.002):  # the last changes weights by less than float8 can tell
        mixer.apply((LoraWeight(str(path), weight),), wait=True)
        expected = base + weight * ALPHA / RANK * up @ down
        assert (linear.widened() - expected).abs().max() <= 1e-6 * max(1.0, expected.abs().max().item())
    assert not torch.equal(linear.widened(), base)
    mixer.apply(())
    assert linear.weight.dtype == FLOAT8
    assert torch.equal(linear.weight.view(torch.uint8), stored.view(torch.uint8))
    assert torch.equal(linear.scale, scale)
    mixer.close()


def test_the_same_mix_gives_the_same_bits_however_it_came_about(model, tmp_path):
    one, two = (str(write_lora(tmp_path / f"{n}.safetensors", model, seed=n)) for n in (1, 2))
    mixer = LoraMixer(model)
    mixer.apply([LoraWeight(one, 0.3), LoraWeight(two, -0.7)], wait=True)
    first = copy_of(model)
    mixer.apply([LoraWeight(two, 1.5)])
    mixer.apply([LoraWeight(two, -0.7), LoraWeight(one, 0.3)])
    assert all(torch.equal(p, first[name]) for name, p in model.named_parameters())
    assert not mixer.apply([LoraWeight(one, 0.3), LoraWeight(two, -0.7)]), "the order of slots changes nothing"
    mixer.close()


def test_streams_that_take_turns_keep_each_others_files(model, tmp_path):
    one, two = (str(write_lora(tmp_path / f"{n}.safetensors", model, seed=n)) for n in (1, 2))
    mixer = LoraMixer(model)
    mixer.apply([LoraWeight(one, 1.0)], wait=True)
    mixer.apply([LoraWeight(two, 1.0)], wait=True)
    for path in (one, two, one, two):
        assert mixer.apply([LoraWeight(path, 1.0)])
        assert mixer.note(path).startswith("kohya, 16 modules, rank 4")
    for _ in range(KEPT_MIXES + 1):
        mixer.apply([LoraWeight(two, 1.0)])
    assert mixer.note(one) == "", "what nobody wants is let go"
    mixer.close()


def test_a_file_is_found_by_name_and_a_missing_one_is_a_sentence(model, tmp_path):
    path = write_lora(tmp_path / "glow.safetensors", model)
    assert find_lora("glow", (tmp_path,)) == path
    mixer = LoraMixer(model, (tmp_path,))
    slot = LoraWeight("glwo", 1.0)
    with pytest.raises(CheckpointError, match=r"glwo: there is no such LoRA file.*glow\.safetensors"):
        mixer.apply((slot,), wait=True)
    assert "no such LoRA file" in mixer.failure("glwo")
    assert not mixer.apply((slot,))
    mixer.close()


def test_only_slots_that_are_on_and_hold_a_file_are_wanted():
    params = ChunkParams.from_values(lora_values(["glow.safetensors:0.5", "c:/loras/a.safetensors"]))
    assert wanted_loras(params) == (LoraWeight("glow.safetensors", 0.5), LoraWeight("c:/loras/a.safetensors", 1.0))
    assert wanted_loras(ChunkParams()) == ()
    with pytest.raises(ValueError, match="there are 8 slots"):
        lora_values(["a"] * 9)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("a:0.5", ("a", 0.5)), ("c:/a", ("c:/a", 1.0)), ("a:-1", ("a", -1.0)), ("a", ("a", 1.0)), (":2", (":2", 1.0))],
)
def test_a_weight_follows_the_last_colon(text, parsed):
    assert parse_lora(text) == parsed
