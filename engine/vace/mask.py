"""Masks as VACE reads them: 64 channels of a latent frame say, pixel by pixel, where to paint (1) and what stays (0).

Masks are bool, (T, H, W). Knows nothing of where they come from.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

from engine.vae.latents import FRAMES_PER_LATENT, LATENT_STRIDE

MASK_CHANNELS = LATENT_STRIDE**2
MIDDLE = 127.5  # of 8 bits: what is brighter is inside
LUMA = (0.2126, 0.7152, 0.0722)  # BT.709


def mask_of(pixels: np.ndarray, signal: str, *, is_inverted: bool) -> np.ndarray:
    """Frames (T, H, W, 4) uint8 -> (T, H, W) bool, True = paint: by brightness ("luma") or by the key ("alpha")."""
    value = pixels[..., 3] if signal == "alpha" else pixels[..., :3] @ np.float32(LUMA)
    return (value > MIDDLE) != is_inverted


def pack(mask: Tensor) -> Tensor:
    """Masks (.., H, W) -> (.., 64, h, w) float32: channel 8 * (y mod 8) + (x mod 8) at (y // 8, x // 8)."""
    return functional.pixel_unshuffle(mask[..., None, :, :].float(), LATENT_STRIDE)


def clip_places(frames: int) -> list[int]:
    """Which frames' masks stand for the latent frames of a clip of T frames, as published: nearest-exact.

    Index floor((i + 0.5) * T / T') for i below T' = (T + 3) // 4.
    """
    latents = (frames + FRAMES_PER_LATENT - 1) // FRAMES_PER_LATENT
    return [(2 * i + 1) * frames // (2 * latents) for i in range(latents)]


def stream_places(frames: int, *, is_start: bool) -> list[int]:
    """The same law within each latent frame of a chunk, so that it is the same in chunks of any size.

    A latent frame takes the third of its four frames, the first one of a stream its only frame. Equal to the law of
    a clip for every chunk that begins no stream. Raises ValueError for a number that does not fill latent frames.
    """
    first = 1 if is_start else 0
    if frames < 1 or (frames - first) % FRAMES_PER_LATENT:
        raise ValueError(f"{frames} frames do not fill latent frames; {'1 + 4k' if is_start else '4k'} are needed")
    places = range(first + FRAMES_PER_LATENT // 2, frames, FRAMES_PER_LATENT)
    return [*([0] if is_start else []), *places]
