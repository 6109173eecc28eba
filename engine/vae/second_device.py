"""An autoencoder on a device of its own: the transformer's GPU makes the next chunk while another one decodes.

What crosses is small: latents one way, states stay where they were made.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.vae.latents import DecoderState, EncoderState, StreamingAutoencoder


class OnDevice:
    """Takes latents and frames from anywhere. Frames it decodes stay on `device`; latents go back to whoever asked."""

    def __init__(self, autoencoder: StreamingAutoencoder, device: torch.device) -> None:
        """`autoencoder` has its weights on `device`."""
        self.autoencoder = autoencoder
        self.device = device

    def decode(self, latents: Tensor, state: DecoderState | None) -> tuple[Tensor, DecoderState]:
        """As `StreamingDecoder.decode`; the frames are on `device`."""
        return self.autoencoder.decode(latents.to(self.device, non_blocking=True), state)

    def encode(self, frames: Tensor, state: EncoderState | None) -> tuple[Tensor, EncoderState]:
        """As `StreamingEncoder.encode`; the latents are where the frames came from."""
        latents, state = self.autoencoder.encode(frames.to(self.device, non_blocking=True), state)
        return latents.to(frames.device), state
