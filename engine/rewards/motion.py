"""Reward `motion`: how much moves, less what only flickers. A formula, without weights."""

from __future__ import annotations

from torch import Tensor

from engine.rewards.pictures import luma
from engine.rewards.protocol import RewardKind, RewardModel

FLICKER_WEIGHT = 0.5
LEAST = 1e-3  # a quarter of one of 255 levels: below it nothing moves, and the logarithm would only tell noise


class Motion(RewardModel):
    """`motion` = log mean |x[t+1] - x[t]| - weight * flicker; `flicker` alone is minus the share of movement undone.

    A frame difference that the next one takes back is flicker: mean |x[t+2] - 2 x[t+1] + x[t]| over twice the mean
    difference, 0 for steady movement, 1 where every frame returns.
    """

    name = "motion"
    dimensions = ("motion", "degree", "flicker")
    sees_time = True

    def __init__(self, flicker_weight: float = FLICKER_WEIGHT) -> None:
        super().__init__()
        self.flicker_weight = flicker_weight

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """As `RewardModel.score`; `degree` is the mean absolute difference of brightness, 0..1."""
        light = luma(self.checked(frames, prompts).float())
        moved = light[:, 1:] - light[:, :-1]
        degree = moved.abs().mean(dim=(1, 2, 3))
        undone = (moved[:, 1:] - moved[:, :-1]).abs().mean(dim=(1, 2, 3)) if moved.shape[1] > 1 else degree * 0.0
        flicker = 0.5 * undone / degree.clamp(min=LEAST)
        total = degree.clamp(min=LEAST).log() - self.flicker_weight * flicker
        return {"motion": total, "degree": degree, "flicker": -flicker}


REWARD = RewardKind(Motion, Motion)
