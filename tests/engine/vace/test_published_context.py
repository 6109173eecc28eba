"""Contexts of whole clips against diffusers' own preparation, with the same small autoencoder under both."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import WanVACEPipeline
from diffusers.video_processor import VideoProcessor
from PIL import Image
from torch import Tensor

from engine.vace.context import clip_context
from engine.vace.references import ReferencePicture, filling, on_white
from engine.vae.wan_vae import WanVae, WanVaeConfig

SIZE = (32, 48)


@pytest.fixture(scope="module")
def vae() -> WanVae:
    torch.manual_seed(0)
    return WanVae(WanVaeConfig(dim=4, latent_mean=(0.0,) * 16, latent_std=(1.0,) * 16)).requires_grad_(False)


class Published:
    """What diffusers' pipeline asks of its parts, with our autoencoder in the place of theirs."""

    def __init__(self, vae: WanVae) -> None:
        self.vae = self
        self.dtype = torch.float32
        self.config = SimpleNamespace(latents_mean=[0.0] * 16, latents_std=[1.0] * 16, z_dim=16)
        self.transformer = SimpleNamespace(config=SimpleNamespace(patch_size=(1, 2, 2)))
        self.vae_scale_factor_temporal, self.vae_scale_factor_spatial = 4, 8
        self.video_processor = VideoProcessor(vae_scale_factor=8)
        self._execution_device = torch.device("cpu")
        self._vae = vae

    def encode(self, video: Tensor) -> SimpleNamespace:
        return SimpleNamespace(latents=self._vae.encode(video.transpose(1, 2), None)[0].transpose(1, 2))

    def context(self, video: Tensor, mask: Tensor, references: list[Tensor]) -> Tensor:
        """(1, R + F, 96, h, w) of video (1, 3, T, H, W) and mask (1, 3, T, H, W)."""
        latents = WanVACEPipeline.prepare_video_latents(self, video, mask, [references], None, torch.device("cpu"))
        masks = WanVACEPipeline.prepare_masks(self, mask, [references])
        return torch.cat([latents, masks], dim=1).transpose(1, 2)


def picture(pixels: np.ndarray) -> ReferencePicture:
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]) if pixels.shape[2] == 3 else pixels
    return ReferencePicture(opaque, "", 1, (0, 0))


@pytest.mark.parametrize("references", [0, 1, 2])
@pytest.mark.parametrize("frames", [9, 13])
def test_a_clips_context_is_the_published_one(vae: WanVae, frames: int, references: int) -> None:
    random = torch.Generator().manual_seed(frames)
    video = torch.rand(1, 3, frames, *SIZE, generator=random) * 2.0 - 1.0
    mask = torch.rand(frames, *SIZE, generator=random) > 0.5
    pictures = [torch.rand(3, *SIZE, generator=random) * 2.0 - 1.0 for _ in range(references)]
    ours = clip_context(vae, video.transpose(1, 2), mask, pictures)
    # diffusers puts each further reference before the others; the original, as here, keeps their order
    theirs = Published(vae).context(video, mask[None, None].float().expand(-1, 3, -1, -1, -1), pictures[::-1])
    assert ours.shape == theirs.shape == (1, references + (frames + 3) // 4, 96, SIZE[0] // 8, SIZE[1] // 8)
    assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("shape", [(40, 30), (20, 100), (64, 96), (16, 8), (500, 311)])
def test_a_reference_is_put_on_white_as_published(vae: WanVae, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    video = [Image.new("RGB", SIZE[::-1])] * 9
    _, _, (theirs,) = WanVACEPipeline.preprocess_conditions(
        Published(vae), video, None, [Image.fromarray(pixels)], 1, *SIZE, 9, torch.float32, torch.device("cpu")
    )
    ours = on_white(picture(pixels), *SIZE)
    # their own loading first cuts a picture to multiples of 8; on such sizes both are alike
    if all(side % 8 == 0 for side in shape):
        assert (ours - theirs[0]).abs().max() < 1e-5
    assert ours.shape == theirs[0].shape
    white = (ours == 1.0).all(dim=0)
    scale = min(SIZE[0] / shape[0], SIZE[1] / shape[1])
    rows, columns = int(shape[0] * scale), int(shape[1] * scale)
    top, left = (SIZE[0] - rows) // 2, (SIZE[1] - columns) // 2
    assert not white[top : top + rows, left : left + columns].all()
    assert white[:top].all()
    assert white[top + rows :].all()
    assert white[:, :left].all()
    assert white[:, left + columns :].all()


def test_a_picture_that_fills_is_cut_at_both_ends() -> None:
    pixels = np.zeros((20, 100, 3), np.uint8)
    pixels[:, 35:65] = 255
    filled = filling(picture(pixels), *SIZE)
    assert filled.shape == (3, *SIZE)
    assert filled[:, :, 2:-2].min() > 0.99  # 30 of 100 columns cover 48 of 160


def test_what_is_transparent_is_white() -> None:
    pixels = np.zeros((32, 48, 4), np.uint8)
    pixels[:16, :, 3] = 255
    placed = on_white(picture(pixels), *SIZE)
    assert (placed[:, :16] == -1.0).all()
    assert (placed[:, 16:] == 1.0).all()
