"""Half-size decoding against the whole decoder: the mean of its pixels, and the same stream around it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from engine.loading import load_decoder
from engine.model_presets import load_preset
from engine.vae.half_size import HalfSize
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig

LATENTS = torch.randn(1, 3, 16, 4, 6, generator=torch.Generator().manual_seed(5))


def linear_end(*, has_latent_statistics: bool) -> TinyVae:
    """An autoencoder whose last layers neither fold below zero nor clip: there the mean is exact but for the edges."""
    torch.manual_seed(1)
    config = TinyVaeConfig(
        encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8), has_latent_statistics=has_latent_statistics
    )
    vae = TinyVae(config).eval().requires_grad_(False)
    for name in ("19", "20"):
        weight = (vae.decoder[name].conv if name == "19" else vae.decoder[name]).weight
        weight.copy_(weight.abs() * 0.1)
    vae.decoder["22"].weight.mul_(0.05)
    vae.decoder["22"].bias.fill_(0.5)
    return vae


@pytest.mark.parametrize("has_latent_statistics", [False, True])
def test_the_picture_is_nearly_the_mean_of_the_whole_one(has_latent_statistics: bool) -> None:
    vae = linear_end(has_latent_statistics=has_latent_statistics)
    half = HalfSize(vae)
    state = half_state = None
    for latents in (LATENTS, LATENTS.flip(1)):
        whole, state = vae.decode(latents, state)
        small, half_state = half.decode(latents, half_state)
        assert small.shape == (1, whole.shape[1], 3, 16, 24)
        mean = functional.avg_pool2d(whole.flatten(0, 1), 2)
        inside = (small.flatten(0, 1) - mean)[..., 1:-1, 1:-1]
        assert inside.abs().mean() < 0.02 * mean.std()
        assert all(torch.equal(a, b) for a, b in zip(state.memory, half_state.memory, strict=True))


def test_embers_small_picture_is_the_picture() -> None:
    preset = load_preset("ember")
    vae = load_decoder(preset.decoder, torch.device("cpu"), torch.float32)
    half = HalfSize(vae)
    frames = torch.rand(1, 9, 3, 48, 64, generator=torch.Generator().manual_seed(2)) * 2.0 - 1.0
    frames = functional.avg_pool3d(frames.transpose(1, 2), (1, 9, 9), 1, (0, 4, 4)).transpose(1, 2) * 4.0
    latents, _ = vae.encode(frames.clamp(-1.0, 1.0), None)
    whole, _ = vae.decode(latents, None)
    small, _ = half.decode(latents, None)
    error = (small - functional.avg_pool2d(whole.flatten(0, 1), 2)[None]).abs().mean()
    assert error < 0.05, "of 2: what an eye takes for the same picture made smaller"
    again, _ = half.encode(small, None)
    assert again.shape == latents.shape
