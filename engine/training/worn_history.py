"""Histories spoilt as streams spoil them, so that the model learns the way back. Knows nothing of models."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Wear:
    """How much is spoilt: `noise` is its largest level, 0..1; the others are shares of the samples, 0..1."""

    noise: float
    fade: float  # to a flat picture, by a random amount
    blur: float  # by a random amount
    patch: float  # a blot of one colour, the sink excepted


def worn(history: Tensor, wear: Wear, sink_frames: int, generator: torch.Generator) -> Tensor:
    """Spoil histories (B, F, C, h, w) on the CPU: noise always; often faded to a flat picture, or blurred.

    The target stays what it was. Without it no stream leaves black.
    """
    batch = len(history)
    flat = history.mean(dim=(1, 3, 4), keepdim=True)[torch.randperm(batch, generator=generator)]
    coarse = functional.avg_pool2d(history.flatten(0, 1), 5, stride=1, padding=2, count_include_pad=False)
    coarse = coarse.unflatten(0, history.shape[:2])
    for picture, share in ((coarse, wear.blur), (flat, wear.fade)):
        amount = _rand(batch, generator) * (_rand(batch, generator) < share)
        amount = amount[:, None].expand(-1, history.shape[1]).clone()
        # in a long stream the sink is the sound part
        amount[:, :sink_frames] *= (_rand(batch, generator) < 0.5)[:, None]
        history = torch.lerp(history, picture.expand_as(history), amount[:, :, None, None, None])
    history = _patched(history, wear.patch, sink_frames, generator)
    level = _rand(batch, generator)[:, None, None, None, None] * wear.noise
    return torch.lerp(history, torch.randn(history.shape, generator=generator), level)


def _patched(history: Tensor, share: float, sink_frames: int, generator: torch.Generator) -> Tensor:
    """Cover a blot of some windows with one of their own colours; the sink is left as it is.

    Shapes that grow a little with every chunk would fill the picture in a minute: the sink tells what is too much.
    """
    batch, frames, channels, height, width = history.shape
    place = torch.randint(height * width, (batch, 1, 1), generator=generator).expand(-1, channels, -1)
    colour = history[:, 0].flatten(2).gather(2, place)[:, None, :, :, None]  # (B, 1, C, 1, 1)
    grid = torch.randn(batch, 1, 3, 4, generator=generator)
    relief = functional.interpolate(grid, (height, width), mode="bicubic")
    is_covered = _rand(batch, generator) < share
    blot = torch.sigmoid(8.0 * (relief - 0.5)) * is_covered[:, None, None, None]
    amount = blot[:, None].expand(-1, frames, -1, -1, -1).clone()
    amount[:, :sink_frames] = 0.0
    return torch.lerp(history, colour.expand_as(history), amount)


def _rand(count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator)
