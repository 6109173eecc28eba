"""Reward `pickscore`: PickScore v1 (arXiv:2305.01569), a picture for a prompt; a CLIP-H of transformers."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from engine.rewards.clip_towers import ClipTowers, without_positions
from engine.rewards.pictures import centre_crop, normalise
from engine.rewards.protocol import RewardKind, RewardModel, per_clip
from engine.rewards.published import PublishedFiles, Tokens, load_strictly, renamed

PARTS = ("pickscore", "clip-tokenizer")


class PickScore(RewardModel):
    """`pickscore` = exp(logit_scale) * cosine as published, about 18 to 24; `cosine` alone is that over 100."""

    name = "pickscore"
    dimensions = ("pickscore", "cosine")
    needs_prompt = True

    def __init__(self, towers: ClipTowers, tokens: Tokens) -> None:
        super().__init__()
        self.towers = towers
        self._tokens = tokens

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`, the mean over the frames."""
        x = self.checked(frames, prompts)
        pictures = self.towers.look(normalise(centre_crop(x.flatten(0, 1), self.towers.side)))
        texts = self.towers.read(*self._tokens(prompts, x.device)).repeat_interleave(x.shape[1], dim=0)
        cosine = per_clip((pictures * texts).sum(dim=-1), len(x))
        return {"pickscore": self.towers.clip.logit_scale.float().exp() * cosine, "cosine": cosine}


def load_pickscore(folder: Path | None = None) -> PickScore:
    """Read the published checkpoint, or that of `folder`. Raises RewardError."""
    files, tokenizer = (PublishedFiles(part, folder) for part in PARTS)
    clip = CLIPModel(CLIPConfig.from_dict(files.settings("config.json")))
    weights = renamed(files.weights("model.safetensors"), without_positions)
    load_strictly(clip, weights, str(files.path("model.safetensors")))
    towers = ClipTowers(clip)
    return PickScore(towers, Tokens(tokenizer.path("tokenizer.json"), towers.text_len))


REWARD = RewardKind(PickScore, load_pickscore, PARTS)
