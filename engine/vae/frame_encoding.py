"""Frames as people have them to latents: RGBA8 in, chunk by chunk, so that a clip at full size fits into memory."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.vae.latents import FRAMES_PER_LATENT, StreamingEncoder


def encode_frames(
    encoder: StreamingEncoder, frames: np.ndarray, chunk_frames: int, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Encode frames (T, H, W, 4) uint8 of a whole clip to latents (1, F, C, h, w), `chunk_frames` of them at a time.

    Raises ValueError when T is not 1 + 4k.
    """
    pixels = torch.from_numpy(frames[..., :3].copy()).permute(0, 3, 1, 2)[None]
    first = FRAMES_PER_LATENT * chunk_frames - (FRAMES_PER_LATENT - 1)
    sections = [pixels[:, :first], *pixels[:, first:].split(FRAMES_PER_LATENT * chunk_frames, dim=1)]
    latents, state = [], None
    for section in sections:
        if section.shape[1]:
            part, state = encoder.encode((section.to(device).float() / 127.5 - 1.0).to(dtype), state)
            latents.append(part)
    return torch.cat(latents, dim=1)
