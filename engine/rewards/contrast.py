"""Reward `contrast`: a small model of texts and frames, trained on drawn clips as CLIP is (arXiv:2103.00020).

Plays the published image rewards where nothing can be downloaded: it knows the prompt and nothing of time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.ember.weights import read_weights, write_weights
from engine.rewards.protocol import RewardError, RewardModel, per_clip
from engine.text.ngram import NgramConfig, NgramEncoder

KIND = "contrast"
FILE = "contrast.safetensors"


@dataclass(frozen=True)
class ContrastConfig:
    """Sizes; frames are brought to `height` x `width` first."""

    height: int = 64
    width: int = 96
    widths: tuple[int, ...] = (24, 48, 96, 128)  # of the frame encoder, each at half the size of the one before
    embedding: int = 96
    buckets: int = 8192
    text_width: int = 64
    text_len: int = 24

    def __post_init__(self) -> None:
        least = 2 ** len(self.widths)
        if min(self.height, self.width) < least or not self.widths:
            raise ValueError(
                f"contrast: frames of {self.width}x{self.height} are too small for {len(self.widths)} levels"
            )


class ContrastModel(nn.Module):
    """Frame encoder and text encoder into one space."""

    def __init__(self, config: ContrastConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        for before, width in zip((3, *config.widths), config.widths, strict=False):
            layers += [nn.Conv2d(before, width, 4, 2, 1), nn.GroupNorm(8 if width % 8 == 0 else 1, width), nn.SiLU()]
            layers += [nn.Conv2d(width, width, 3, 1, 1), nn.SiLU()]
        self.frames = nn.Sequential(*layers)
        self.frame_out = nn.Linear(2 * config.widths[-1], config.embedding)
        self.words = NgramEncoder(NgramConfig(config.text_len, config.embedding, config.buckets, config.text_width))
        self.text_out = nn.Linear(config.embedding, config.embedding)
        self.logit_scale = nn.Parameter(torch.tensor(2.66))  # exp(2.66) = 1 / 0.07, CLIP's start
        self.register_buffer("middle", torch.zeros(()))  # of the cosine on clips with their own captions
        self.register_buffer("spread", torch.ones(()))

    def forward(self, pictures: Tensor, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Pictures (N, 3, H, W) in 0..1 and texts -> unit vectors of both, (N, E) and (texts, E)."""
        return self.look(pictures), self.read(texts)

    def look(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in 0..1 -> unit vectors (N, E)."""
        size = (self.config.height, self.config.width)
        x = functional.interpolate(pictures, size=size, mode="bilinear", align_corners=False, antialias=True)
        x = self.frames(2.0 * x - 1.0)
        # the mean tells what is everywhere, the deviation what stands out
        pooled = torch.cat((x.mean(dim=(2, 3)), (x.var(dim=(2, 3), correction=0) + 1e-6).sqrt()), dim=1)
        return functional.normalize(self.frame_out(pooled), dim=-1)

    def read(self, texts: list[str]) -> Tensor:
        """Texts -> unit vectors (texts, E); a text without a word gives the same one always."""
        rows = self.words(texts)
        used = rows.abs().sum(dim=-1, keepdim=True).sign()
        pooled = rows.sum(dim=1) / used.sum(dim=1).clamp(min=1.0)
        return functional.normalize(self.text_out(pooled.to(self.text_out.weight.device)), dim=-1)


class Contrast(RewardModel):
    """Cosine of frame and prompt, in deviations from what clips with their own captions have; `cosine` as it is."""

    name = "contrast"
    dimensions = ("contrast", "cosine")
    needs_prompt = True

    def __init__(self, model: ContrastModel) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`, the mean over the frames."""
        x = self.checked(frames, prompts)
        pictures, texts = self.model(x.flatten(0, 1).float(), prompts)
        cosine = per_clip((pictures * texts.repeat_interleave(x.shape[1], dim=0)).sum(dim=-1), len(x))
        return {"contrast": (cosine - self.model.middle) / self.model.spread, "cosine": cosine}


def write_contrast(model: ContrastModel, folder: Path) -> Path:
    """Write `contrast.safetensors` into a folder; return its path."""
    write_weights(folder / FILE, KIND, dataclasses.asdict(model.config), model.state_dict())
    return folder / FILE


def read_contrast(path: Path) -> Contrast:
    """Read what `write_contrast` wrote. Raises RewardError when it is not there or holds something else."""
    if not path.is_file():
        raise RewardError(f"contrast: {path} is not there; `vj train contrast` makes it")
    try:
        config, weights = read_weights(path, KIND)
    except ValueError as error:
        raise RewardError(str(error)) from None
    model = ContrastModel(ContrastConfig(**(config | {"widths": tuple(config["widths"])})))
    model.load_state_dict(weights)
    return Contrast(model)
