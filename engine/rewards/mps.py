"""Reward `mps`: Multi-dimensional Preference Score, overall (arXiv:2405.14705), a picture for a prompt.

The gate that keeps only words near the condition is scaled by each sample's own largest similarity: scaled over the
batch, as published, a score would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPConfig, CLIPModel

from engine.rewards.clip_towers import CLIP_END, vit_h_14, without_positions
from engine.rewards.mps_layers import CrossTowers, from_published
from engine.rewards.pictures import normalise, resize
from engine.rewards.protocol import RewardKind, RewardModel, per_clip
from engine.rewards.published import PublishedFiles, Tokens, load_strictly, renamed

PARTS = ("mps", "clip-tokenizer")
FILE = "MPS_overall.pth"
GATE = 0.01
CONDITION = (
    "light, color, clarity, tone, style, ambiance, artistry, shape, face, hair, hands, limbs, structure, instance, "
    "texture, quantity, attributes, position, number, location, word, things."
)  # of the overall score


class MpsModel(nn.Module):
    """CLIP whose tokens, not only whose ends, are projected; and the cross layers."""

    def __init__(self, config: CLIPConfig, cross: CrossTowers | None = None) -> None:
        super().__init__()
        self.clip = CLIPModel(config)
        self.cross_towers = cross or CrossTowers(config.projection_dim)
        self.side = config.vision_config.image_size
        self.text_len = config.text_config.max_position_embeddings

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N, L), padded with endings -> projected tokens (N, L, E) and texts (N, E)."""
        found = self.clip.text_model(input_ids=ids)
        return self.clip.text_projection(found.last_hidden_state), self.clip.text_projection(found.pooler_output)

    def look(self, pixels: Tensor) -> Tensor:
        """Normalised pixels (N, 3, side, side) -> projected tokens (N, P, E)."""
        tokens = self.clip.vision_model(pixel_values=pixels.to(self.clip.dtype)).last_hidden_state
        return self.clip.visual_projection(tokens)

    def forward(self, pixels: Tensor, ids: Tensor, condition_ids: Tensor) -> Tensor:
        """Cosine (N,) of pictures and texts ids (N, L) under one condition (1, L)."""
        words, text = self.read(ids)
        condition, _ = self.read(condition_ids)
        likeness = (words @ condition[0].t()).amax(dim=-1)  # (N, L)
        gate = likeness / likeness.amax(dim=-1, keepdim=True) > GATE
        picture = self.cross_towers(self.look(pixels), words, gate)[:, 0]
        return functional.cosine_similarity(picture.float(), text.float(), dim=-1)


class Mps(RewardModel):
    """`mps` = cosine, without temperature; the published figures are exp(logit_scale) times it."""

    name = "mps"
    dimensions = ("mps",)
    needs_prompt = True

    def __init__(self, model: MpsModel, tokens: Tokens) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self._tokens = tokens

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`, the mean over the frames."""
        x = self.checked(frames, prompts)
        pixels = normalise(resize(x.flatten(0, 1), self.model.side, self.model.side))
        ids = self._tokens(prompts, x.device)[0].repeat_interleave(x.shape[1], dim=0)
        with torch.no_grad():
            condition, _ = self._tokens([CONDITION], x.device)
        return {"mps": per_clip(self.model(pixels, ids, condition), len(x))}


def to_ours(name: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """One tensor of the published file under the names of `MpsModel`."""
    if name.startswith("cross_model."):
        return from_published(name, tensor)
    if name.startswith("model."):
        return without_positions("clip." + name.removeprefix("model."), tensor)
    return {name: tensor}


def load_mps(folder: Path | None = None, model: MpsModel | None = None) -> Mps:
    """Read the published checkpoint; from `folder`, into another model, where given. Raises RewardError."""
    files, tokenizer = (PublishedFiles(part, folder) for part in PARTS)
    model = model or MpsModel(vit_h_14())
    load_strictly(model, renamed(files.weights(FILE), to_ours), str(files.path(FILE)))
    end = model.clip.config.text_config.eos_token_id
    return Mps(model, Tokens(tokenizer.path("tokenizer.json"), model.text_len, padding=end or CLIP_END))


REWARD = RewardKind(Mps, load_mps, PARTS)
