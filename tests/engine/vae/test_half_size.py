"""Half-size decoding against the whole decoder: the mean of its pixels, and the same stream around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.chunk_source import SourceChoice, SourceError, load_source
from engine.loading import load_decoder
from engine.model_presets import load_preset
from engine.params import ChunkParams
from engine.plans.memory_plan import MemoryChoice
from engine.vae.half_size import HalfSize
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.video_in.given import GivenFrames
from tests.engine.published_files import write_published
from tests.engine.small_model import write_small_model

LATENTS = torch.randn(1, 3, 16, 4, 6, generator=torch.Generator().manual_seed(5))


class GreyInput:
    """Grey frames of the pictures' size."""

    def __init__(self, height: int, width: int) -> None:
        self._size = (height, width)

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        return GivenFrames(np.full((frames, *self._size, 4), 128, np.uint8), (1,) * frames)


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


def test_a_stream_at_half_the_size_is_the_stream_made_smaller(tmp_path: Path) -> None:
    model = write_small_model(tmp_path / "small")
    made = []
    for is_half in (False, True):
        choice = SourceChoice(
            str(model), device="cpu", threads=1, dtype="float32", memory=MemoryChoice(is_half=is_half)
        )
        source = load_source(choice)
        source.connect_inputs({1: GreyInput(source.height, source.width)})
        painted = ChunkParams().with_values({"/vj/input/on": True})
        chunks = [source.generate_chunk(params).frames for params in (ChunkParams(), ChunkParams(), painted)]
        assert chunks[0].shape[1:3] == (source.height, source.width)
        made.append(chunks[:2])
        source.close()
    (whole, _), (half, _) = made
    assert half.shape[1:3] == (whole.shape[1] // 2, whole.shape[2] // 2)
    mean = torch.from_numpy(whole[..., :3]).permute(0, 3, 1, 2).float()
    small = torch.from_numpy(half[..., :3]).permute(0, 3, 1, 2).float()
    assert (functional.avg_pool2d(mean, 2) - small).abs().mean() < 6.0


def test_the_full_autoencoder_has_no_half_size(tmp_path: Path) -> None:
    choice = SourceChoice(str(write_published(tmp_path / "m")), device="cpu", memory=MemoryChoice(is_half=True))
    with pytest.raises(SourceError, match="half the size"):
        load_source(choice)
