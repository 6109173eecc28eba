"""CLIP as published rewards use it: transformers' model, its features on any version, open_clip's key names.

Knows nothing of what a reward makes of the features.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPConfig, CLIPModel

CLIP_END = 49407  # token that ends a text, and whose place holds what the text says
_TOWERS = {"visual.": "vision_model.", "": "text_model."}
_IN_LAYER = {
    "ln_1.": "layer_norm1.",
    "ln_2.": "layer_norm2.",
    "attn.out_proj.": "self_attn.out_proj.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
}
_SINGLE = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "logit_scale": "logit_scale",
}
_TRANSPOSED = {"visual.proj": "visual_projection.weight", "text_projection": "text_projection.weight"}
_THREE = ("q_proj", "k_proj", "v_proj")
_LAYERS = "transformer.resblocks."


def vit_h_14() -> CLIPConfig:
    """OpenCLIP's ViT-H-14: 986 M parameters, the backbone of HPS v2 and MPS."""
    vision = {
        "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 16,
        "image_size": 224, "patch_size": 14, "hidden_act": "gelu", "projection_dim": 1024,
    }  # fmt: skip
    text = {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
        "vocab_size": 49408, "max_position_embeddings": 77, "hidden_act": "gelu", "projection_dim": 1024,
        "bos_token_id": CLIP_END - 1, "eos_token_id": CLIP_END, "pad_token_id": 0,
    }  # fmt: skip
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=1024)


class ClipTowers(nn.Module):
    """Both towers with unit vectors; asks the towers themselves, whose answers are alike in transformers 4 and 5."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.clip = clip.eval().requires_grad_(False)
        self.side = clip.config.vision_config.image_size
        self.text_len = clip.config.text_config.max_position_embeddings

    def look(self, pixels: Tensor) -> Tensor:
        """Normalised pixels (N, 3, side, side) -> unit vectors (N, E)."""
        pooled = self.clip.vision_model(pixel_values=pixels.to(self.clip.dtype)).pooler_output
        return functional.normalize(self.clip.visual_projection(pooled).float(), dim=-1)

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Tokens (N, L) and their mask -> unit vectors (N, E)."""
        pooled = self.clip.text_model(input_ids=ids, attention_mask=mask).pooler_output
        return functional.normalize(self.clip.text_projection(pooled).float(), dim=-1)


def from_open_clip(name: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """One tensor of an open_clip checkpoint under transformers' names; {} for the mask it can make itself."""
    if name == "attn_mask":
        return {}
    if name in _SINGLE:
        return {_SINGLE[name]: tensor}
    if name in _TRANSPOSED:
        return {_TRANSPOSED[name]: tensor.t().contiguous()}
    for prefix, tower in _TOWERS.items():
        if not name.startswith(prefix + _LAYERS):
            continue
        layer, _, part = name.removeprefix(prefix + _LAYERS).partition(".")
        stem = f"{tower}encoder.layers.{layer}."
        if part in ("attn.in_proj_weight", "attn.in_proj_bias"):
            ending = part.rpartition("_")[2]
            thirds = tensor.chunk(3)
            return {f"{stem}self_attn.{p}.{ending}": third for p, third in zip(_THREE, thirds, strict=True)}
        for theirs, ours in _IN_LAYER.items():
            if part.startswith(theirs):
                return {stem + ours + part.removeprefix(theirs): tensor}
    return {name: tensor}


def without_positions(name: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """What transformers 4 saved beside the weights, left out: the numbers 0, 1, 2, ..."""
    return {} if name.endswith("position_ids") else {name: tensor}
