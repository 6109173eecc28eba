"""Frames as people have them, RGBA8, to pixels and latents as models have them, and back; clips and live chunks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.vae.latents import FRAMES_PER_LATENT, EncoderState, StreamingEncoder

OPAQUE = 255


class NotFiniteError(ArithmeticError):
    """The model made NaN or infinite values; the chunk must not be shown."""


def to_pixels(frames: np.ndarray, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Frames (T, H, W, 4) uint8 -> (1, T, 3, H, W) in [-1, 1]; alpha is dropped."""
    pixels = torch.from_numpy(frames[..., :3].copy()).permute(0, 3, 1, 2)[None]
    return (pixels.to(device).float() / 127.5 - 1.0).to(dtype)


def rgba_of(pixels: Tensor) -> Tensor:
    """Pixels (T, 3, H, W) in [-1, 1] -> (T, H, W, 4) uint8, contiguous, where the pixels are."""
    frames, _, height, width = pixels.shape
    scaled = pixels.float().clamp(-1.0, 1.0).mul_(127.5).add_(127.5).round_()
    rgba = torch.full((frames, height, width, 4), OPAQUE, dtype=torch.uint8, device=pixels.device)
    rgba[..., :3].copy_(scaled.permute(0, 2, 3, 1))
    return rgba


def encode_frames(
    encoder: StreamingEncoder, frames: np.ndarray, chunk_frames: int, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Encode frames (T, H, W, 4) uint8 of a whole clip to latents (1, F, C, h, w), `chunk_frames` of them at a time.

    A clip at full size fits into memory. Raises ValueError when T is not 1 + 4k.
    """
    first = FRAMES_PER_LATENT * chunk_frames - (FRAMES_PER_LATENT - 1)
    rest = range(first, len(frames), FRAMES_PER_LATENT * chunk_frames)
    sections = [frames[:first], *(frames[begin : begin + FRAMES_PER_LATENT * chunk_frames] for begin in rest)]
    latents, state = [], None
    for section in sections:
        part, state = encoder.encode(to_pixels(section, device, dtype), state)
        latents.append(part)
    return torch.cat(latents, dim=1)


def encode_live(
    encoder: StreamingEncoder, pixels: Tensor, state: EncoderState | None, *, is_start: bool
) -> tuple[Tensor, EncoderState]:
    """Encode one chunk's frames (1, T, 3, H, W) in [-1, 1] of a picture that may come and go; also the next state.

    Frames have 1 + 4k of a stream's first chunk (`is_start`), 4k of later ones. Where the picture comes in later
    (no state) the encoder is first shown the first frame alone, so that every latent stands for four frames.
    """
    if state is None and not is_start:
        _, state = encoder.encode(pixels[:, :1], None)
    return encoder.encode(pixels, state)
