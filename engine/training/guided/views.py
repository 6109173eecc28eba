"""What a drawn clip is guided by in training: a control made of it, masks, a reference. Knows nothing of models.

The same makers as live (engine/vace/controls); frames are spoilt first as cameras spoil them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.training.guided.figures import draw_shades
from engine.vace.controls.flow import flow
from engine.vace.controls.maker import ControlMaker
from engine.vace.controls.pictures import blur, colour, edges, luma, unchanged

MAKERS: dict[str, ControlMaker] = {
    "none": unchanged,
    "luma": luma,
    "edges": edges,
    "blur": blur,
    "flow": flow,
    "colour": colour,
}
EDGES, EMPTY = "edges", "empty"
OTHERS = ("luma", "luma", "luma", "blur", "blur", "colour", "colour", "colour", "none", "flow")
MASKED = (EMPTY, EMPTY, EDGES, "luma", "colour", "none")
MASKS = ("boxes", "figures", "border", "half", "first", "last")
CHUNK_LATENTS = 3  # of a chunk: where the frames of masks in time stand


@dataclass(frozen=True)
class View:
    """One way to guide a clip of T frames: what is painted over, and what stays."""

    kind: str  # of control
    control: np.ndarray | None  # (T, H, W, 3) uint8: what guides inside the mask; None = nothing does
    mask: np.ndarray  # (T, H, W) bool: True = made anew, False = kept


def edges_view(frames: np.ndarray, rng: np.random.Generator) -> View:
    """Edges everywhere, of a random strength of detail. Frames (T, H, W, 3) uint8."""
    lines = edges(_as_a_camera(frames, rng), 0.2 + 0.8 * float(rng.random())).pixels
    return View(EDGES, lines, np.ones(frames.shape[:3], bool))


def other_view(frames: np.ndarray, rng: np.random.Generator) -> View:
    """Another control everywhere."""
    kind = str(rng.choice(OTHERS))
    source = frames if kind in ("none", "flow") else _as_a_camera(frames, rng)
    return View(kind, MAKERS[kind](source, float(rng.random())).pixels, np.ones(frames.shape[:3], bool))


def masked_view(frames: np.ndarray, rng: np.random.Generator) -> View:
    """A part of the picture, or of a chunk's time, is given; inside the mask a control or nothing guides."""
    where, kind = str(rng.choice(MASKS)), str(rng.choice(MASKED))
    mask = _mask(where, frames.shape[:3], rng)
    if kind == EMPTY or where in ("first", "last"):
        return View(EMPTY, None, mask)
    return View(kind, MAKERS[kind](frames, float(rng.random())).pixels, mask)


def _mask(where: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    frames, height, width = shape
    mask = np.zeros(shape, bool)
    if where in ("first", "last"):
        return mask | (_chunk_latents(frames) != (0 if where == "first" else CHUNK_LATENTS - 1))[:, None, None]
    if where == "figures":
        mask = draw_shades(rng, (height, width), frames) > 0.3
    elif where == "half":
        side = int(rng.integers(4))
        line = int(rng.uniform(0.3, 0.7) * (height if side < 2 else width))
        mask[:, :line] |= side == 0
        mask[:, line:] |= side == 1
        mask[:, :, :line] |= side == 2
        mask[:, :, line:] |= side == 3
    elif where == "border":
        top, left = int(rng.uniform(0.08, 0.3) * height), int(rng.uniform(0.08, 0.3) * width)
        mask[:] = True
        mask[:, top:-top, left:-left] = False
    else:
        for _ in range(int(rng.integers(1, 4))):
            tall, wide = int(rng.uniform(0.2, 0.7) * height), int(rng.uniform(0.2, 0.6) * width)
            top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
            mask[:, top : top + tall, left : left + wide] = True
    return ~mask if where in ("boxes", "figures") and rng.random() < 0.4 else mask


def _chunk_latents(frames: int) -> np.ndarray:
    """For every frame of a stream, the place of its latent frame in the chunk."""
    return ((np.arange(frames) + 3) // 4) % CHUNK_LATENTS


def _as_a_camera(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another gamma and contrast, at times noise: what is guided must not be read from levels alone."""
    if rng.random() < 0.4:
        return frames
    level = np.arange(256) / 255.0
    low, high = rng.uniform(0.0, 0.25), rng.uniform(0.7, 1.0)
    table = (255.0 * (low + (high - low) * level ** np.exp(rng.uniform(-0.7, 0.7)))).astype(np.float32)
    made = table[frames]
    if rng.random() < 0.5:
        made += rng.normal(0.0, rng.uniform(1.0, 7.0), (*frames.shape[:3], 1)).astype(np.float32)
    return np.clip(made, 0.0, 255.0).astype(np.uint8)
