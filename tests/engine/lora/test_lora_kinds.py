"""What is no LoRA for this model is refused with what it probably is; the published layout names what it leaves out."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from engine.lora.lora_file import read_lora
from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.weight_files import CheckpointError
from tests.engine.tiny import tiny_transformer

DIM_14B, DIM_1_3B = 5120, 1536


def pair(stem: str, rows: int, columns: int) -> dict[str, torch.Tensor]:
    return {
        f"{stem}.lora_down.weight": torch.zeros(2, columns, dtype=torch.float16),
        f"{stem}.lora_up.weight": torch.zeros(rows, 2, dtype=torch.float16),
    }


FOREIGN = {
    "14B": (pair("diffusion_model.blocks.39.self_attn.q", DIM_14B, DIM_14B), "a LoRA file for a 14B model"),
    "I2V 14B": (
        pair("diffusion_model.blocks.0.self_attn.q", DIM_14B, DIM_14B)
        | pair("diffusion_model.blocks.0.cross_attn.k_img", DIM_14B, DIM_14B),
        "a LoRA file for a 14B image-to-video (I2V) model",
    ),
    "SD": (
        pair("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", 320, 320),
        "for Stable Diffusion",
    ),
    "SD3": (pair("lora_unet_joint_blocks_0_x_block_attn_qkv", 64, 64), "for Stable Diffusion 3"),
    "Flux": (pair("lora_unet_double_blocks_0_img_attn_qkv", 64, 64), "for Flux or HunyuanVideo"),
    "Flux of diffusers": (pair("transformer.single_transformer_blocks.0.attn.to_q", 64, 64), "for Flux or"),
    "Hunyuan": (
        pair("lora_unet_double_blocks_0_img_attn_qkv", 64, 64)
        | pair("lora_unet_txt_in_individual_token_refiner_blocks_0_mlp_0", 64, 64),
        "for HunyuanVideo",
    ),
    "LTX": (pair("transformer.transformer_blocks.0.attn1.to_q", 64, 64), "for LTX-Video, CogVideoX"),
    "text encoder": (pair("lora_te_text_model_encoder_layers_0_self_attn_q_proj", 64, 64), "for a text encoder"),
    "VAE": (
        {"decoder.upsamples.0.residual.2.weight": torch.zeros(4, 4), "conv2.weight": torch.zeros(16, 16, 1, 1, 1)},
        "a Wan VAE",
    ),
    "embedding": ({"emb_params": torch.zeros(2, 768)}, "a textual inversion embedding"),
    "transformer": (
        {"patch_embedding.weight": torch.zeros(DIM_1_3B, 16, 1, 2, 2), "blocks.0.self_attn.q.weight": torch.zeros(2)},
        "a 1.3B text-to-video checkpoint",
    ),
}


@pytest.fixture
def shapes():
    return {name: tuple(p.shape) for name, p in tiny_transformer().named_parameters()}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_of_another_family_is_refused_with_what_it_is(shapes, tmp_path, kind):
    tensors, words = FOREIGN[kind]
    path = tmp_path / "a.safetensors"
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=r"a\.safetensors: .*") as refused:
        read_lora(path, shapes)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("content", "words"), [
    (b"a list of my favourite LoRAs\n", "a.safetensors"),
    (b"", "it is empty"),
    (b"<!DOCTYPE html>", "a web page"),
])  # fmt: skip
def test_what_is_no_weight_file_is_a_sentence(shapes, tmp_path, content, words):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        read_lora(path, shapes)


def test_a_file_cut_off_anywhere_is_a_sentence(shapes, tmp_path):
    path = tmp_path / "a.safetensors"
    save_file(pair("blocks.0.self_attn.q", *shapes["blocks.0.self_attn.q.weight"]), path)
    whole = path.read_bytes()
    for length in (1, 7, 9, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"a\.safetensors"):
            read_lora(path, shapes)


def test_the_modules_the_published_reward_loras_leave_out_are_named(tmp_path):
    with torch.device("meta"):
        model = CausalWanTransformer(ModelConfig())  # the published 1.3B
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    linears = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    image = [f"blocks.{n}.cross_attn.{name}" for n in range(30) for name in ("k_img", "v_img")]
    image += ["img_emb.proj.1", "img_emb.proj.3"]
    tensors: dict[str, torch.Tensor] = {}
    for module in (*linears, *image):
        rows, columns = shapes.get(f"{module}.weight", (DIM_1_3B, DIM_1_3B))
        tensors |= pair(f"lora_unet__{module.replace('.', '_')}", rows, columns)
        tensors[f"lora_unet__{module.replace('.', '_')}.alpha"] = torch.tensor(64.0)
    path = tmp_path / "reward.safetensors"
    save_file(tensors, path)
    found = read_lora(path, shapes)
    assert (len(tensors), len(found.modules), len(found.left_out)) == (1104, 306, 62)
    assert set(found.left_out) == {name.replace(".", "_") for name in image}
    assert "306 of 368 modules fit this model" in found.note()
