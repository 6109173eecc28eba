"""VideoReward's model: Qwen2-VL, read at three special tokens. Frames to patches; published names to transformers'.

Knows nothing of prompts' wording or of files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from transformers import Qwen2VLConfig
from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLModel

from engine.rewards.pictures import normalise, resize

SIDE_FACTOR = 28  # a patch of 14 pixels, merged two by two
MOST_PIXELS, LEAST_PIXELS = 448 * 448, 128 * SIDE_FACTOR * SIDE_FACTOR  # per frame
SCORES = 3
_DROPPED = ("lm_head.weight",)


def qwen2_vl_2b(vocabulary: int) -> Qwen2VLConfig:
    """Qwen2-VL-2B with a vocabulary that special tokens were added to."""
    text = {
        "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12,
        "num_key_value_heads": 2, "vocab_size": vocabulary, "rms_norm_eps": 1e-6, "hidden_act": "silu",
        "max_position_embeddings": 32768, "use_sliding_window": False,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    }  # fmt: skip
    vision = {
        "depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16, "mlp_ratio": 4, "patch_size": 14,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "hidden_act": "quick_gelu",
    }  # fmt: skip
    return Qwen2VLConfig(text_config=text, vision_config=vision)


class VideoRewardModel(nn.Module):
    """The three scores are the head's diagonal: score k is output k at the k-th special token."""

    def __init__(self, config: Qwen2VLConfig) -> None:
        super().__init__()
        self.model = Qwen2VLModel(config)
        self.rm_head = nn.Linear(config.text_config.hidden_size, SCORES, bias=False)
        self.patch = config.vision_config.patch_size
        self.merge = config.vision_config.spatial_merge_size
        self.pair = config.vision_config.temporal_patch_size

    def forward(self, patches: Tensor, grid: tuple[int, int, int], ids: Tensor, video: int, marks: Tensor) -> Tensor:
        """Score one clip: patches (P, D) of a grid (t, h, w), tokens (L,), the token of the video, places (3,) -> (3,).

        Positions are plain 1-D numbers on all three axes, as in training: newer transformers would make 3-D ones.
        """
        embeddings = self.model.get_input_embeddings()(ids)[None]
        seen = self.model.visual(patches.to(embeddings.dtype), grid_thw=torch.tensor([grid], device=ids.device))
        tokens = seen if isinstance(seen, Tensor) else seen.pooler_output
        is_video = (ids == video)[None, :, None].expand_as(embeddings)
        embeddings = embeddings.masked_scatter(is_video, tokens.to(embeddings.dtype))
        positions = torch.arange(len(ids), device=ids.device).expand(3, 1, -1)
        mask = torch.ones(1, len(ids), dtype=torch.long, device=ids.device)
        hidden = self.model.language_model(
            inputs_embeds=embeddings, position_ids=positions, attention_mask=mask, use_cache=False
        ).last_hidden_state[0]
        return self.rm_head(hidden[marks]).diagonal().float()

    def patches(self, frames: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        """Frames (T, 3, H, W) in 0..1 -> patches (P, D) in the order Qwen2-VL reads them, and their grid."""
        x = normalise(resize(frames, *video_size(*frames.shape[-2:])))
        if len(x) % self.pair:
            x = torch.cat((x, x[-1:].expand(self.pair - len(x) % self.pair, -1, -1, -1)))
        t, h, w = len(x) // self.pair, x.shape[-2] // self.patch, x.shape[-1] // self.patch
        x = x.unflatten(0, (t, self.pair)).unflatten(-2, (h // self.merge, self.merge, self.patch))
        x = x.unflatten(-1, (w // self.merge, self.merge, self.patch))  # t pair c  h' m p  w' m p
        return x.permute(0, 3, 6, 4, 7, 2, 1, 5, 8).flatten(5).flatten(0, 4), (t, h, w)


def video_size(height: int, width: int) -> tuple[int, int]:
    """Size a frame is brought to: whole patches, its shape kept, its area within bounds."""

    def fitting(scale: float, whole: str) -> tuple[int, int]:
        fit = {"near": round, "below": math.floor, "above": math.ceil}[whole]
        high, wide = (max(1, fit(side * scale / SIDE_FACTOR)) * SIDE_FACTOR for side in (height, width))
        return high, wide

    high, wide = fitting(1.0, "near")
    if high * wide > MOST_PIXELS:
        return fitting(math.sqrt(MOST_PIXELS / (height * width)), "below")
    if high * wide < LEAST_PIXELS:
        return fitting(math.sqrt(LEAST_PIXELS / (height * width)), "above")
    return high, wide


def merged(tensors: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """A checkpoint saved with its adapter -> plain weights: W + scale * B A, under the names of `VideoRewardModel`."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if ".original_module." in name or ".lora_B." in name:
            continue
        plain = name.removeprefix("base_model.model.").replace(".base_layer.", ".")
        plain = plain.replace(".modules_to_save.default.", ".")
        if ".lora_A." in name:
            up = tensors[name.replace(".lora_A.", ".lora_B.")]
            plain = plain.partition(".lora_A.")[0] + ".weight"
            change = scale * (up.float() @ tensor.float())
            found[plain] = change if plain not in found else (found[plain].float() + change).to(found[plain].dtype)
        else:
            found[plain] = tensor if plain not in found else (tensor.float() + found[plain]).to(tensor.dtype)
    return {_to_transformers(name): tensor for name, tensor in found.items() if name not in _DROPPED}


def _to_transformers(name: str) -> str:
    """Names of transformers 4.45 -> those of 5."""
    if name.startswith("visual."):
        return "model." + name
    if name.startswith("model.") and not name.startswith(("model.visual.", "model.language_model.")):
        return "model.language_model." + name.removeprefix("model.")
    return name
