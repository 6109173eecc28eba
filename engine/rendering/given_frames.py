"""A picture or a clip as frames a stream can begin with: at the model's size and rate, RGBA8, sRGB, full range.

Knows nothing of models or latents beyond how many frames make whole ones.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.vae.latents import FRAMES_PER_LATENT
from engine.video_in.picture_files import PictureError, at_rate, decoded, fitted

if TYPE_CHECKING:
    import av

LONGEST_S = 30.0  # of a clip, its end: window and sink hold far less


@dataclass(frozen=True)
class GivenFrames:
    """What a stream begins with."""

    frames: np.ndarray  # (T, H, W, 4) uint8, T = 1 + 4k
    notes: tuple[str, ...] = ()  # what was left out of the file


def read_picture(path: Path, width: int, height: int) -> GivenFrames:
    """Read the first frame of a picture or a clip. Raises PictureError."""
    for _, frame in decoded(str(path)):
        return GivenFrames(_opaque(frame, width, height)[None])
    raise PictureError(f"{path}: there is no picture in it")


def read_clip(path: Path, width: int, height: int, rate_fps: float, chunk_frames: int) -> GivenFrames:
    """Read a clip at `rate_fps`, as much of its end as whole chunks of latent frames hold. Raises PictureError."""
    kept: deque[np.ndarray] = deque(maxlen=round(LONGEST_S * rate_fps))
    total = 0
    for frame, copies in at_rate(decoded(str(path)), rate_fps):
        pixels = _opaque(frame, width, height)
        kept.extend([pixels] * copies)
        total += copies
    if not kept:
        raise PictureError(f"{path}: there is no picture in it")
    count = whole_frames(len(kept), chunk_frames)
    notes = [f"{path}: the last {count} of {total} frames at {rate_fps:g}/s are gone on from"] if count < total else []
    if count == 1 < chunk_frames and total > 1:
        notes.append(
            f"{path}: give at least {whole_frames(10**6, chunk_frames, most_chunks=1)} frames for motion to go on"
        )
    return GivenFrames(np.stack(list(kept)[len(kept) - count :]), tuple(notes))


def whole_frames(frames: int, chunk_frames: int, most_chunks: int | None = None) -> int:
    """How many of `frames` whole chunks hold; of less than a chunk, what whole latent frames hold."""
    latents = 1 + (frames - 1) // FRAMES_PER_LATENT
    chunks = latents // chunk_frames if most_chunks is None else min(most_chunks, latents // chunk_frames)
    return 1 + FRAMES_PER_LATENT * ((chunks * chunk_frames or latents) - 1)


def _opaque(frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
    pixels = fitted(frame, width, height)
    pixels[..., 3] = 255
    return pixels
