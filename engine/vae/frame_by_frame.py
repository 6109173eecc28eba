"""An autoencoder that is given one latent frame at a time: a third of the memory in between, the same pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.vae.latents import FRAMES_PER_LATENT, DecoderState, EncoderState, StreamingAutoencoder


class FrameByFrame:
    """Decodes and encodes a chunk in pieces of one latent frame."""

    def __init__(self, autoencoder: StreamingAutoencoder) -> None:
        self.autoencoder = autoencoder

    def decode(self, latents: Tensor, state: DecoderState | None) -> tuple[Tensor, DecoderState]:
        """As `StreamingDecoder.decode`."""
        frames = []
        for latent in latents.split(1, dim=1):
            part, state = self.autoencoder.decode(latent, state)
            frames.append(part)
        return torch.cat(frames, dim=1), state

    def encode(self, frames: Tensor, state: EncoderState | None) -> tuple[Tensor, EncoderState]:
        """As `StreamingEncoder.encode`."""
        first = 0 if state is not None else 1
        latents = []
        for part in (frames[:, :first], *frames[:, first:].split(FRAMES_PER_LATENT, dim=1)):
            if part.shape[1]:
                latent, state = self.autoencoder.encode(part, state)
                latents.append(latent)
        return torch.cat(latents, dim=1), state
