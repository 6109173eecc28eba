"""A restoring force against slow drift: latents are pulled back to the mean colour the stream began with.

Not part of Reward Forcing; off unless a model's preset asks for it. Knows nothing of models, caches or pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK_LATENT_FRAMES = 3  # the gain is given per chunk of the published size
SETTLE_LATENT_FRAMES = 6  # after a change of prompt the picture is on its way: nothing is learned from it
REFERENCE_LATENT_FRAMES = 36  # nine seconds at 16 frames per second: what the stream is held to


class LatentAnchor:
    """Holds the mean of every latent channel over space. Owned by the generator's thread.

    An autoregressive stream has nothing that calls its mean back: errors too small to see in one chunk add up over
    minutes as a random walk. Only the mean is held, so forms and motion stay the model's own.
    """

    def __init__(self, gain: float) -> None:
        """`gain` is the share of the way back taken per chunk of three latent frames: 0 = off, below 1."""
        self._gain = gain
        self._prompt: object = None
        self._seen = 0  # latent frames since the last change of prompt
        self._reference: Tensor | None = None  # (1, 1, C, 1, 1) float32
        self._collected = 0  # latent frames in it

    def hold(self, x0: Tensor, prompt: object) -> Tensor:
        """Return x0 (1, F, C, H, W), pulled back once the reference is whole; same dtype.

        `prompt` is what is played, compared by identity: another one starts a reference of its own.
        """
        if self._gain <= 0.0:
            return x0
        if prompt is not self._prompt:
            self._prompt, self._seen, self._reference, self._collected = prompt, 0, None, 0
        frames = x0.shape[1]
        mean = x0.float().mean(dim=(1, 3, 4), keepdim=True)
        self._seen += frames
        if self._seen <= SETTLE_LATENT_FRAMES:
            return x0
        if self._collected < REFERENCE_LATENT_FRAMES:
            self._collect(mean, frames)
            return x0
        pull = 1.0 - (1.0 - self._gain) ** (frames / CHUNK_LATENT_FRAMES)
        return (x0.float() + pull * (self._reference - mean)).to(x0.dtype)

    def forget(self) -> None:
        """Begin anew: a hard cut."""
        self._prompt = None

    def _collect(self, mean: Tensor, frames: int) -> None:
        self._collected += frames
        if self._reference is None:
            self._reference = torch.zeros_like(mean)
        self._reference += (mean - self._reference) * (frames / self._collected)
