"""The context of a guide: what stays, what guides, and the mask, as channels. Knows nothing of encoders."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engine.model.config import LATENT_STRIDE


def pack_context(inactive: Tensor, reactive: Tensor, mask: Tensor) -> Tensor:
    """Latents (B, F, C, h, w) twice and masks (B, F, 8 h, 8 w) -> (B, F, 2 C + 64, h, w); 1 = made anew.

    Pixel (y, x) of a mask is channel 8 (y mod 8) + x mod 8 at (y / 8, x / 8), as published.
    """
    return torch.cat((inactive, reactive, functional.pixel_unshuffle(mask[:, :, None], LATENT_STRIDE)), dim=2)


def reference_context(latents: Tensor) -> Tensor:
    """Latents of references (B, R, C, h, w) -> (B, R, 2 C + 64, h, w): nothing guides, the mask is 0."""
    return functional.pad(latents, (0, 0, 0, 0, 0, latents.shape[2] + LATENT_STRIDE**2))
