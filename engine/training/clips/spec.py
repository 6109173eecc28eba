"""What a clip looks like: family, palette, speed, seed. Knows nothing of drawing, captions, files or models."""

from dataclasses import dataclass

import torch

from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES

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
