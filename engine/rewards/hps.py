"""Reward `hps`: Human Preference Score v2.1 (arXiv:2306.09341), a picture for a prompt.

The structure is OpenCLIP's ViT-H-14 in transformers' classes. Input as `hpsv2.score` measures it: letterboxed.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from engine.rewards.clip_towers import ClipTowers, from_open_clip, vit_h_14
from engine.rewards.pictures import letterbox, normalise
from engine.rewards.protocol import RewardKind, RewardModel, per_clip
from engine.rewards.published import PublishedFiles, Tokens, load_strictly, renamed

PARTS = ("hps-v2.1", "clip-tokenizer")


class Hps(RewardModel):
    """Cosine of picture and prompt, without temperature: published v2.1 figures are 100 times it, about 28 to 33."""

    name = "hps"
    dimensions = ("hps",)
    needs_prompt = True

    def __init__(self, towers: ClipTowers, tokens: Tokens) -> None:
        super().__init__()
        self.towers = towers
        self._tokens = tokens

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`, the mean over the frames."""
        x = self.checked(frames, prompts)
        pictures = self.towers.look(normalise(letterbox(x.flatten(0, 1), self.towers.side)))
        texts = self.towers.read(*self._tokens(prompts, x.device)).repeat_interleave(x.shape[1], dim=0)
        return {"hps": per_clip((pictures * texts).sum(dim=-1), len(x))}


def load_hps(folder: Path | None = None, config: CLIPConfig | None = None) -> Hps:
    """Read the published checkpoint; from `folder`, of another size, where given. Raises RewardError."""
    weights, tokenizer = (PublishedFiles(part, folder) for part in PARTS)
    clip = CLIPModel(config or vit_h_14())
    tensors = renamed(weights.weights("HPS_v2.1_compressed.pt"), from_open_clip)
    load_strictly(clip, tensors, str(weights.path("HPS_v2.1_compressed.pt")))
    towers = ClipTowers(clip)
    return Hps(towers, Tokens(tokenizer.path("tokenizer.json"), towers.text_len))


REWARD = RewardKind(Hps, load_hps, PARTS)
