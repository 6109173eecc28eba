"""The context VACE's blocks read, (1, R + F, 2C + 64, h, w): what stays, what is painted, and where, per latent frame.

References stand at the front, frames of their own. Knows nothing of parameters, books or streams.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.vace.frames import split
from engine.vace.mask import MASK_CHANNELS, clip_places, pack
from engine.vae.latents import StreamingEncoder


def context_channels(latent_channels: int) -> int:
    """Channels of a context for latents of so many: 96 for Wan's 16."""
    return 2 * latent_channels + MASK_CHANNELS


def join(inactive: Tensor, reactive: Tensor, mask: Tensor, references: list[Tensor]) -> Tensor:
    """Latents (1, F, C, h, w) of both streams and packed masks (1, F, 64, h, w), after references' (1, 1, C, h, w).

    A reference is its latent, and zeros for everything else: nothing of it is painted.
    """
    chunk = torch.cat([inactive, reactive, mask.to(inactive)], dim=2)
    blank = chunk.new_zeros(1, 1, chunk.shape[2] - inactive.shape[2], *chunk.shape[3:])
    return torch.cat([*(torch.cat([latent, blank], dim=2) for latent in references), chunk], dim=1)


def clip_context(encoder: StreamingEncoder, frames: Tensor, mask: Tensor, references: list[Tensor]) -> Tensor:
    """Context of a whole clip as published: frames (1, T, 3, H, W) in [-1, 1], T = 1 + 4k, mask (T, H, W) bool.

    `references` are pictures (3, H, W) in [-1, 1]; the first stands first.
    """
    inactive, reactive = (encoder.encode(part, None)[0] for part in split(frames, frames, mask))
    latents = [encoder.encode(picture[None, None], None)[0] for picture in references]
    return join(inactive, reactive, pack(mask[clip_places(len(mask))])[None], latents)
