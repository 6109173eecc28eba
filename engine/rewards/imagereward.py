"""Reward `imagereward`: ImageReward v1.0 (arXiv:2304.05977), a picture for a prompt; BLIP of transformers and a head.

The published checkpoint is of another BLIP with other key names; `to_transformers` is the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn
from transformers import BlipTextConfig, BlipVisionConfig
from transformers.models.blip.modeling_blip import BlipVisionModel
from transformers.models.blip.modeling_blip_text import BlipTextModel

from engine.rewards.pictures import centre_crop, normalise
from engine.rewards.protocol import RewardKind, RewardModel, per_clip
from engine.rewards.published import PublishedFiles, Tokens, load_strictly, renamed
from engine.rewards.score_head import ScoreHead

PARTS = ("image-reward", "bert-tokenizer")
FILE = "ImageReward.pt"
MIDDLE, SPREAD = 0.16717362830052426, 1.0333394966054072  # of the raw score, as published
TEXT_LEN = 35  # longer prompts are cut, as published
_SINGLE = {
    "cls_token": "embeddings.class_embedding",
    "pos_embed": "embeddings.position_embedding",
    "patch_embed.proj.weight": "embeddings.patch_embedding.weight",
    "patch_embed.proj.bias": "embeddings.patch_embedding.bias",
    "norm.weight": "post_layernorm.weight",
    "norm.bias": "post_layernorm.bias",
}
_IN_BLOCK = {"norm1.": "layer_norm1.", "norm2.": "layer_norm2.", "attn.qkv.": "self_attn.qkv."}
_IN_BLOCK |= {"attn.proj.": "self_attn.projection.", "mlp.fc1.": "mlp.fc1.", "mlp.fc2.": "mlp.fc2."}


def vision_config() -> BlipVisionConfig:
    """ViT-L/16 at 224."""
    return BlipVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, image_size=224,
        patch_size=16, hidden_act="gelu", layer_norm_eps=1e-6,
    )  # fmt: skip


def text_config() -> BlipTextConfig:
    """BERT base with cross-attention to the picture."""
    return BlipTextConfig(
        vocab_size=30524, hidden_size=768, encoder_hidden_size=1024, intermediate_size=3072, num_hidden_layers=12,
        num_attention_heads=12, max_position_embeddings=512, hidden_act="gelu", layer_norm_eps=1e-12,
    )  # fmt: skip


class ImageRewardModel(nn.Module):
    """Picture tower, text tower that looks at it, head."""

    def __init__(self, vision: BlipVisionConfig, text: BlipTextConfig) -> None:
        super().__init__()
        self.vision_model = BlipVisionModel(vision)
        self.text_encoder = BlipTextModel(text, add_pooling_layer=False)
        self.head = ScoreHead(text.hidden_size)
        self.side = vision.image_size

    def forward(self, pixels: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """Normalised pixels (N, 3, side, side), tokens and mask (N, L) -> raw scores (N,)."""
        picture = self.vision_model(pixel_values=pixels.to(self.text_encoder.dtype)).last_hidden_state
        seen = picture.new_ones(picture.shape[:2])
        answer = self.text_encoder(
            input_ids=ids, attention_mask=mask, encoder_hidden_states=picture, encoder_attention_mask=seen
        )
        return self.head(answer.last_hidden_state[:, 0].float())


class ImageReward(RewardModel):
    """Standardised as published: about normal, over 2 is rare."""

    name = "imagereward"
    dimensions = ("imagereward",)
    needs_prompt = True

    def __init__(self, model: ImageRewardModel, tokens: Tokens) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self._tokens = tokens

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`, the mean over the frames."""
        x = self.checked(frames, prompts)
        ids, mask = (rows.repeat_interleave(x.shape[1], dim=0) for rows in self._tokens(prompts, x.device))
        raw = self.model(normalise(centre_crop(x.flatten(0, 1), self.model.side)), ids, mask)
        return {"imagereward": per_clip((raw - MIDDLE) / SPREAD, len(x))}


def to_transformers(name: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """One tensor of the published file under the names of `ImageRewardModel`; {} for what is no weight."""
    if name.endswith("position_ids"):
        return {}
    if name.startswith("mlp."):
        return {"head." + name.removeprefix("mlp."): tensor}
    if name.startswith("blip.text_encoder."):
        return {name.removeprefix("blip."): tensor}
    part = name.removeprefix("blip.visual_encoder.")
    if part in _SINGLE:
        return {"vision_model." + _SINGLE[part]: tensor}
    if part.startswith("blocks."):
        number, _, rest = part.removeprefix("blocks.").partition(".")
        for theirs, ours in _IN_BLOCK.items():
            if rest.startswith(theirs):
                return {f"vision_model.encoder.layers.{number}.{ours}{rest.removeprefix(theirs)}": tensor}
    return {name: tensor}


def load_imagereward(folder: Path | None = None, model: ImageRewardModel | None = None) -> ImageReward:
    """Read the published checkpoint; from `folder`, into another model, where given. Raises RewardError."""
    files, tokenizer = (PublishedFiles(part, folder) for part in PARTS)
    model = model or ImageRewardModel(vision_config(), text_config())
    load_strictly(model, renamed(files.weights(FILE), to_transformers), str(files.path(FILE)))
    return ImageReward(model, Tokens(tokenizer.path("tokenizer.json"), TEXT_LEN))


REWARD = RewardKind(ImageReward, load_imagereward, PARTS)
