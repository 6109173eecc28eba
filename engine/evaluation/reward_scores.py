"""What rewards say of a stream: the same models that train, asked about sentences no training has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from engine.evaluation.video_report import Figures
from engine.rewards.loading import load_reward, missing_for
from engine.rewards.protocol import RewardError, RewardModel


def missing_rewards(names: Sequence[str], folder: Path) -> list[str]:
    """A sentence per thing these rewards (`NAME` or `NAME:DIMENSION`) lack; `folder` is that of the model."""
    return [sentence for name in names for sentence in missing_for(name, folder)]


def load_rewards(names: Sequence[str], folder: Path) -> dict[str, RewardModel]:
    """Load each once. Raises RewardError with a sentence."""
    return {name: load_reward(name, folder) for name in dict.fromkeys(name.partition(":")[0] for name in names)}


@torch.inference_mode()
def reward_figures(rewards: Mapping[str, RewardModel], clip: np.ndarray, text: str) -> Figures:
    """Every score of a clip (T, H, W, 3) uint8 as `reward_NAME_SCORE`. Raises ArithmeticError for one that is none."""
    if not rewards:
        return {}
    frames = torch.from_numpy(np.ascontiguousarray(clip)).permute(0, 3, 1, 2)[None].float() / 255.0
    figures: Figures = {}
    for name, reward in rewards.items():
        try:
            scores = reward.score(frames, [text])
        except RewardError as error:
            raise ArithmeticError(str(error)) from None
        figures |= {f"reward_{name}_{key}": float(score[0]) for key, score in scores.items()}
    return figures
