"""What is guided in training: drawn clips, plain or seen through moving figures. Knows nothing of controls or models.

A clip is a pure function of its seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.training.clips.drawing import draw_plan
from engine.training.clips.spec import ClipPlan, Variety, random_plan, random_spec
from engine.training.guided.figures import draw_light, draw_shades, outline

PLAIN_SHARE = 0.3  # of the clips: no figure in them
VARIETY = Variety(camera=0.3, ground=0.2, finish=0.25, event=0.1, mirror=0.08, blend=0.08, switch=0.0)


@dataclass(frozen=True)
class GuidedClip:
    """Frames (T, 3, H, W) in [-1, 1], and what a caption tells of them."""

    frames: Tensor
    plan: ClipPlan


def draw_source(seed: int, size: tuple[int, int], frames: int) -> GuidedClip:
    """Draw a clip of (height, width): a picture alone, two parted by figures, or one lit and drawn by them."""
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    first_frame = int(rng.integers(0, 400))
    if rng.random() < PLAIN_SHARE:
        plan = random_plan(generator, VARIETY)
        return GuidedClip(draw_plan(plan, size, first_frame, frames), plan)
    plan = ClipPlan(random_spec(generator, VARIETY))
    picture = draw_plan(plan, size, first_frame, frames).add_(1.0).mul_(0.5)
    shades = draw_shades(rng, size, frames)
    kind = rng.choice(("parted", "parted", "lit", "shaded", "lines"))
    if kind == "parted":
        second = random_spec(generator, VARIETY)
        other = draw_plan(ClipPlan(second), size, first_frame, frames).add_(1.0).mul_(0.5)
        share = torch.from_numpy(np.clip(shades / max(float(shades.max()), 1e-3), 0.0, 1.0))[:, None]
        made = torch.lerp(picture, other, share)
        plan = ClipPlan(plan.first, second, share=float(share.mean().clamp(0.15, 0.85)))
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
