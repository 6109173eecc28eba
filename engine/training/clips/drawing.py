"""Frames of clips over any span of time. Knows nothing of captions, files or models."""

import torch
from torch import Tensor

from engine.training.clips.families import FAMILIES, Dice
from engine.training.clips.palettes import colours, paint
from engine.training.clips.spec import CONTENT_RATE_HZ, SPEEDS, ClipSpec


def _draw(spec: ClipSpec, x: Tensor, y: Tensor, first_frame: float, frames: int) -> Tensor:
    dice = Dice(spec.seed)
    start_s = float(dice.uniform(0.0, 20.0))
    pace = SPEEDS[spec.speed]
    t = start_s + pace * (first_frame + torch.arange(frames)) / CONTENT_RATE_HZ
    field = FAMILIES[spec.family](x, y, t[:, None, None], dice)
    value = field.value.expand(frames, *x.shape)
    image = paint(value, colours(spec.palette))
    if field.light is not None:
        image = image * field.light[:, None]
    return image.clamp_(0.0, 1.0) * 2.0 - 1.0


def draw_clip(spec: ClipSpec, height: int, width: int, first_frame: int, frames: int) -> Tensor:
    """Draw `frames` whole frames from `first_frame` on: (T, 3, H, W) in [-1, 1]."""
    rows = (torch.arange(height) + 0.5 - height / 2) / height * spec.zoom
    columns = (torch.arange(width) + 0.5 - width / 2) / height * spec.zoom
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return _draw(spec, x, y, float(first_frame), frames)


def draw_crop(spec: ClipSpec, size: int, frames: int, generator: torch.Generator) -> Tensor:
    """Draw a square part of a clip at a random place, scale and time: (T, 3, size, size) in [-1, 1]."""
    place = torch.rand(4, generator=generator)
    per_pixel = spec.zoom / (96.0 + 64.0 * float(place[0]))  # as in frames of 96 to 160 lines
    line = (torch.arange(size) + 0.5 - size / 2) * per_pixel
    y, x = torch.meshgrid(line + float(place[1]) * 0.6 - 0.3, line + float(place[2]) * 1.2 - 0.6, indexing="ij")
    return _draw(spec, x, y, 200.0 * float(place[3]), frames)
