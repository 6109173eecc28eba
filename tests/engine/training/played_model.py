"""What a generator needs besides a transformer, small: a decoder that keeps the latents it is given, and texts."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.engine.tiny import TINY, tiny_prompt


class StillDecoder:
    """Makes black frames and keeps the latents."""

    def __init__(self) -> None:
        self.latents: list[Tensor] = []

    def decode(self, latents: Tensor, state: object) -> tuple[Tensor, object]:
        """Latents (1, F, C, h, w) -> frames (1, 4 F, 3, 8 h, 8 w)."""
        self.latents.append(latents)
        frames, height, width = latents.shape[1], latents.shape[-2], latents.shape[-1]
        return torch.zeros(1, 4 * frames, 3, 8 * height, 8 * width), state


class PlainEncoder:
    """Every text is a row pattern of its own."""

    def encode(self, text: str) -> Tensor:
        """(text_len, text_dim)."""
        return tiny_prompt(TINY, seed=len(text))[0]
