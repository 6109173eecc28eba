"""Reward `aesthetic`: LAION's improved aesthetic predictor (sac+logos+ava1-l14-linearMSE) on CLIP ViT-L/14.

Judges a picture without its prompt; 0 to 10, about 5 for an ordinary photograph.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from transformers import CLIPConfig, CLIPModel

from engine.rewards.clip_towers import ClipTowers, without_positions
from engine.rewards.pictures import centre_crop, normalise
from engine.rewards.protocol import RewardKind, RewardModel, per_clip
from engine.rewards.published import PublishedFiles, load_strictly, renamed
from engine.rewards.score_head import ScoreHead

PARTS = ("aesthetic", "clip-vit-l-14")
HEAD = "sac+logos+ava1-l14-linearMSE.pth"


class Aesthetic(RewardModel):
    """The published head on the unit vector of a picture."""

    name = "aesthetic"
    dimensions = ("aesthetic",)

    def __init__(self, towers: ClipTowers, head: ScoreHead) -> None:
        super().__init__()
        self.towers = towers
        self.head = head.eval().requires_grad_(False)

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`, the mean over the frames."""
        x = self.checked(frames, prompts)
        pictures = self.towers.look(normalise(centre_crop(x.flatten(0, 1), self.towers.side)))
        return {"aesthetic": per_clip(self.head(pictures), len(x))}


def load_aesthetic(folder: Path | None = None) -> Aesthetic:
    """Read the published checkpoints, or those of `folder`. Raises RewardError."""
    files, clip_files = (PublishedFiles(part, folder) for part in PARTS)
    config = CLIPConfig.from_dict(clip_files.settings("config.json"))
    clip = CLIPModel(config)
    weights = renamed(clip_files.weights("model.safetensors"), without_positions)
    load_strictly(clip, weights, str(clip_files.path("model.safetensors")))
    head = ScoreHead(config.projection_dim)
    load_strictly(head, files.weights(HEAD), str(files.path(HEAD)))
    return Aesthetic(ClipTowers(clip), head)


REWARD = RewardKind(Aesthetic, load_aesthetic, PARTS)
