"""A tiny autoencoder whose pictures have half the height and width: the last layers at a quarter of the work.

The output enlarges them. No weights are trained for it: where the published layers make four pixels out of one, this
makes their mean. Everything before is as it was, so a stream goes on from either.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.vae.latents import FRAMES_PER_LATENT, to_decoder_scale
from engine.vae.tiny_vae import TGrow, TinyVae, TinyVaeState, run_layers

LAST_GROWTH = 19  # position of the layer that doubles the size for the last time
# what a pixel of the small picture gives to the first and second of the two it becomes under a 3-tap kernel:
# (place, small pixel before, at, after; tap)
_TAPS = torch.tensor([[[1.0, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]])


class HalfSize:
    """Fulfils `StreamingAutoencoder` with frames (B, T, 3, H / 2, W / 2); latents and states are the whole one's."""

    def __init__(self, autoencoder: TinyVae) -> None:
        """Weights are taken as they are now; they must not change later."""
        self.autoencoder = autoencoder
        layers = autoencoder.decoder
        self._shared = nn.ModuleDict({name: layer for name, layer in layers.items() if int(name) < LAST_GROWTH})
        growth, follower, last = layers[str(LAST_GROWTH)], layers[str(LAST_GROWTH + 1)], layers[str(LAST_GROWTH + 3)]
        self._stride = growth.stride
        self._grow = _averaged_growth(growth, follower.weight)
        self._last, self._bias = _averaged(last.weight), last.bias

    @torch.no_grad()
    def decode(self, latents: Tensor, state: TinyVaeState | None) -> tuple[Tensor, TinyVaeState]:
        """As `StreamingDecoder.decode`, at half the size."""
        vae, batch, is_start = self.autoencoder, latents.shape[0], state is None
        z = latents.flatten(0, 1)
        if vae.config.has_latent_statistics:
            z = to_decoder_scale(z, vae._mean, vae._std)
        x, state = run_layers(self._shared, z.contiguous(memory_format=torch.channels_last), batch, state)
        x = functional.conv2d(x, self._grow, padding=1)  # (N, stride * C, h, w)
        x = functional.relu_(x.unflatten(1, (self._stride, -1)).flatten(0, 1))
        frames = functional.conv2d(x, self._last, self._bias, padding=1).unflatten(0, (batch, -1))
        frames = frames[:, FRAMES_PER_LATENT - 1 :] if is_start else frames
        return frames.clamp(0.0, 1.0) * 2.0 - 1.0, state

    def encode(self, frames: Tensor, state: TinyVaeState | None) -> tuple[Tensor, TinyVaeState]:
        """As `StreamingEncoder.encode`, of frames at half the size: they are enlarged first."""
        large = functional.interpolate(frames.flatten(0, 1), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.autoencoder.encode(large.unflatten(0, frames.shape[:2]), state)


def _averaged_growth(growth: TGrow, following: Tensor) -> Tensor:
    """Doubling, 1x1 convolution and the 3x3 one after it, their four pixels' mean: (stride * C', C, 3, 3)."""
    grown = growth.conv.weight.unflatten(0, (growth.stride, -1))[..., 0, 0].float()  # (k, C, C)
    merged = torch.einsum("omyx,kmi->koiyx", following.float(), grown).flatten(0, 1)
    return _averaged(merged).to(following.dtype)


def _averaged(weight: Tensor) -> Tensor:
    """A 3x3 convolution of pixels that come in equal fours, and the mean of the fours it makes."""
    taps = _TAPS.to(weight.device)
    averaged = torch.einsum("oiyx,ray,cbx->oiab", weight.float(), taps, taps) / 4.0
    return averaged.to(weight.dtype).contiguous(memory_format=torch.channels_last)
