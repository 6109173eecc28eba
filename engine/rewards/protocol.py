"""What a reward is: frames and prompts in, scores out. Knows nothing of any one model, of files or of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.training.clips.spec import CONTENT_RATE_HZ

POLICIES = ("all", "first", "last", "uniform", "rate")


class RewardError(ValueError):
    """A reward that cannot be loaded or asked; the message says which, why and what to do."""


@dataclass(frozen=True)
class FramePolicy:
    """Which frames of a clip a reward looks at."""

    kind: str = "all"  # one of POLICIES
    count: int = 1  # kind "uniform": how many, evenly spread, both ends included
    rate_hz: float = 2.0  # kind "rate": how many in a second of the clip

    def take(self, frames: Tensor, content_rate_hz: float = CONTENT_RATE_HZ) -> Tensor:
        """Of frames (B, T, ...) those it looks at, (B, T', ...)."""
        total = frames.shape[1]
        if self.kind == "first":
            return frames[:, :1]
        if self.kind == "last":
            return frames[:, -1:]
        if self.kind == "uniform":
            return frames[:, spread(total, min(self.count, total))]
        if self.kind == "rate":
            return frames[:, spread(total, max(1, min(total, int(total / content_rate_hz * self.rate_hz))))]
        return frames


def spread(total: int, count: int) -> list[int]:
    """`count` of `total` indices, evenly spread, both ends included; the first one for a count of 1."""
    return torch.linspace(0, total - 1, count).round().long().tolist()


class RewardModel(nn.Module):
    """Judges clips. Frozen: its weights never want a gradient; the frames may, where `is_differentiable`."""

    name: str = ""
    dimensions: tuple[str, ...] = ()  # keys of `score`; the first is the reward where none is named
    is_differentiable: bool = True  # from the scores back into the frames
    needs_prompt: bool = False
    sees_time: bool = False  # tells a clip from its frames in another order
    frame_policy: FramePolicy = FramePolicy()

    def score(self, frames: Tensor, prompts: list[str]) -> dict[str, Tensor]:
        """Judge frames (B, T, 3, H, W) in 0..1, any size; each score is (B,), higher is better.

        Raises RewardError for frames or prompts that it cannot judge.
        """
        raise NotImplementedError

    def checked(self, frames: Tensor, prompts: list[str]) -> Tensor:
        """The frames it looks at; raises RewardError for another shape or count of prompts."""
        if frames.ndim != 5 or frames.shape[2] != 3 or not frames.shape[1]:
            raise RewardError(f"{self.name}: frames of size {tuple(frames.shape)}; (clips, frames, 3, H, W) are needed")
        if self.needs_prompt and len(prompts) != len(frames):
            raise RewardError(f"{self.name}: {len(prompts)} prompts for {len(frames)} clips; one each is needed")
        if self.sees_time and frames.shape[1] < 2:
            raise RewardError(f"{self.name} judges movement; one frame does not move, give at least two")
        return self.frame_policy.take(frames)


def split_name(written: str) -> tuple[str, str]:
    """`NAME` or `NAME:DIMENSION`, as settings name a reward -> name and dimension ("" = its first)."""
    name, _, dimension = written.partition(":")
    return name.strip(), dimension.strip()


def per_clip(scores: Tensor, clips: int) -> Tensor:
    """Mean over each clip's frames of scores (clips * frames,) -> (clips,)."""
    return scores.unflatten(0, (clips, -1)).mean(dim=1)


@dataclass(frozen=True)
class RewardKind:
    """A reward that can be named: its class, how it is loaded, the parts of presets/downloads it needs."""

    model: type[RewardModel]
    load: Callable[[], RewardModel]
    parts: tuple[str, ...] = ()
