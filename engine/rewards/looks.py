"""Reward `looks`: colour, contrast and sharpness of single frames, less what is clipped. A formula, without weights."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from engine.rewards.pictures import luma
from engine.rewards.protocol import RewardKind, RewardModel

CLIPPED_FROM = 0.98  # a channel above it, or below its mirror, is counted as clipped, the more the closer to the end


@dataclass(frozen=True)
class LooksWeights:
    """What counts how much in `looks`; each part is about 0..1 on pictures one would show."""

    colour: float = 1.0
    contrast: float = 1.0
    sharpness: float = 1.0
    clipping: float = 1.0


class Looks(RewardModel):
    """Sum of colourfulness (Hasler and Suesstrunk 2003), RMS contrast and sharpness, less the share of clipped values.

    Differentiable everywhere, blind to time and to the prompt: what it rewards alone ends in noise of strong colours.
    """

    name = "looks"
    dimensions = ("looks", "colour", "contrast", "sharpness", "clipping")

    def __init__(self, weights: LooksWeights | None = None) -> None:
        super().__init__()
        self.weights = weights or LooksWeights()

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`; `clipping` is minus the share of clipped values."""
        x = self.checked(frames, prompts).float()
        light = luma(x)
        colour = _colourfulness(x)
        contrast = 2.0 * _deviation(light.flatten(-2))
        # a saturating measure: an edge is an edge, and noise is not rewarded without end
        sharpness = torch.tanh(20.0 * _laplacian(light))
        clipped = ((x - CLIPPED_FROM).clamp(min=0.0) + (1.0 - CLIPPED_FROM - x).clamp(min=0.0)) / (1.0 - CLIPPED_FROM)
        parts = (colour, contrast, sharpness, -clipped.mean(dim=(-3, -2, -1)))
        parts = tuple(part.mean(dim=1) for part in parts)
        total = sum(weight * part for weight, part in zip(astuple(self.weights), parts, strict=True))
        return dict(zip(self.dimensions, (total, *parts), strict=True))


def _colourfulness(x: Tensor) -> Tensor:
    red, green, blue = x.flatten(-2).unbind(dim=-2)
    opponents = torch.stack((red - green, 0.5 * (red + green) - blue), dim=-2)
    deviation = _length(_deviation(opponents))
    return deviation + 0.3 * _length(opponents.mean(dim=-1))


def _length(x: Tensor) -> Tensor:
    return (x.square().sum(dim=-1) + 1e-8).sqrt()


def _deviation(x: Tensor) -> Tensor:
    # the square root of zero has no gradient: a flat picture must not end training
    return (x.var(dim=-1, correction=0) + 1e-8).sqrt()


def _laplacian(light: Tensor) -> Tensor:
    middle = light[..., 1:-1, 1:-1]
    upright = light[..., :-2, 1:-1] + light[..., 2:, 1:-1]
    across = light[..., 1:-1, :-2] + light[..., 1:-1, 2:]
    return (upright + across - 4.0 * middle).abs().mean(dim=(-2, -1))


REWARD = RewardKind(Looks, Looks)
