"""Clips: what one looks like (family, palette, speed, seed), and its frames over any span of time.

Knows nothing of captions, files or models.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.training.families import FAMILIES, Dice
from engine.training.palettes import PALETTES, colours, paint

CONTENT_RATE_HZ = 16.0
SPEEDS: dict[str, float] = {"slow": 0.4, "normal": 1.0, "fast": 2.2}  # times the family's own pace


@dataclass(frozen=True)
class ClipSpec:
    """Everything that decides the pixels of a clip. `zoom` is frame heights of picture per frame height shown."""

    family: str
    palette: str
    speed: str
    seed: int
    zoom: float = 1.0


def random_spec(generator: torch.Generator) -> ClipSpec:
    """Draw a clip: families, palettes and speeds equally often."""

    def choose(names: list[str]) -> str:
        return names[int(torch.randint(len(names), (), generator=generator))]

    family = choose(list(FAMILIES))
    palette = choose(list(PALETTES))
    speed = choose(list(SPEEDS))
    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    zoom = 0.75 + 0.5 * float(torch.rand((), generator=generator))
    return ClipSpec(family, palette, speed, seed, zoom)


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
