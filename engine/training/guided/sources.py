"""What is guided in training: drawn clips, plain or seen through moving figures. Knows nothing of controls or models.

A clip is a pure function of its seed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.training.clips.drawing import draw_plan
from engine.training.clips.families import FAMILIES
from engine.training.clips.palettes import PALETTES
from engine.training.clips.spec import ClipPlan, ClipSpec, Variety, random_spec
from engine.training.guided.figures import draw_light, draw_shades, outline

PLAIN_SHARE = 0.3  # of the clips: no figure in them


@dataclass(frozen=True)
class Known:
    """What the guided model was itself trained on: clips of anything else would teach its branch to leave the prompt.

    Empty = every family, every palette; `variety` times how often a clip is anything but plain.
    """

    families: tuple[str, ...] = ()
    palettes: tuple[str, ...] = ()
    variety: float = 0.0

    def spec(self, generator: torch.Generator) -> ClipSpec:
        """Draw a picture of what is known."""
        while True:
            spec = random_spec(generator, Variety(switch=0.0).times(self.variety))
            if spec.family in (self.families or FAMILIES) and spec.palette in (self.palettes or PALETTES):
                return spec


@dataclass(frozen=True)
class GuidedClip:
    """Frames (T, 3, H, W) in [-1, 1], and what a caption tells of them."""

    frames: Tensor
    plan: ClipPlan


def draw_source(seed: int, size: tuple[int, int], frames: int, known: Known = Known()) -> GuidedClip:
    """Draw a clip of (height, width): a picture alone, two of one palette parted by figures, or one lit by them."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    first_frame = int(rng.integers(0, 400))
    plan = ClipPlan(known.spec(generator))
    if rng.random() < PLAIN_SHARE:
        return GuidedClip(draw_plan(plan, size, first_frame, frames), plan)
    picture = draw_plan(plan, size, first_frame, frames).add_(1.0).mul_(0.5)
    shades = draw_shades(rng, size, frames)
    kind = rng.choice(("parted", "parted", "lit", "shaded", "lines"))
    if kind == "parted":
        # of the same palette: the colour is the prompt's, the forms are the guide's
        second = dataclasses.replace(known.spec(generator), palette=plan.first.palette)
        other = (
            draw_plan(ClipPlan(second), size, first_frame, frames).add_(1.0).mul_(0.5 * float(rng.uniform(0.4, 1.3)))
        )
        share = torch.from_numpy(np.clip(shades / max(float(shades.max()), 1e-3), 0.0, 1.0))[:, None]
        made = torch.lerp(picture, other, share)
    else:
        made = _lit(rng, str(kind), picture, shades)
    return GuidedClip(made.clamp_(0.0, 1.0).mul_(2.0).sub_(1.0), plan)


def _lit(rng: np.random.Generator, kind: str, picture: Tensor, shades: np.ndarray) -> Tensor:
    """A picture in [0, 1] brighter or darker where figures are, or with their outlines in its brightest colour."""
    dark, bright = float(rng.uniform(0.2, 0.7)), float(rng.uniform(1.0, 1.5))
    level = shades
    if kind == "shaded":
        light = draw_light(rng, shades.shape[1:], len(shades))
        level = np.where(shades > 0.05, shades * (0.5 + 0.5 * light), light * rng.uniform(0.2, 0.7))
    if rng.random() < 0.4:
        level = 1.0 - level
    if kind == "lines":
        level = outline(shades)
    share = torch.from_numpy(level.astype(np.float32))[:, None]
    # a dark picture shows no light: what is lit takes some of the picture's own bright colour
    glow = picture.flatten(2).quantile(0.97, dim=2)[:, :, None, None]
    lifted = torch.lerp(picture, glow.expand_as(picture), (0.7 if kind == "lines" else 0.35) * share)
    return lifted * (dark + (bright - dark) * share)
