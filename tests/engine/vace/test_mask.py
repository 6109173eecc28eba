"""Masks as 64 channels of latent frames, by the published law, and which frames stand for which latent frames."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import WanVACEPipeline

from engine.vace.mask import clip_places, mask_of, pack, stream_places


def random_mask(frames: int, height: int = 32, width: int = 48) -> torch.Tensor:
    return torch.rand(frames, height, width, generator=torch.Generator().manual_seed(frames)) > 0.5


def test_every_pixel_has_its_channel() -> None:
    mask = random_mask(2)
    packed = pack(mask)
    assert packed.shape == (2, 64, 4, 6)
    for y in range(32):
        for x in range(48):
            assert (packed[:, 8 * (y % 8) + x % 8, y // 8, x // 8] == mask[:, y, x]).all()


@pytest.mark.parametrize(
    ("frames", "places"),
    [
        (12, [2, 6, 10]),
        (13, [1, 4, 8, 11]),
        (9, [1, 4, 7]),
        (81, [1, 5, 9, 13, 17, 21, 25, 28, 32, 36, 40, 44, 48, 52, 55, 59, 63, 67, 71, 75, 79]),
        (1, [0]),
    ],
)
def test_a_clips_masks_are_those_of_the_published_frames(frames: int, places: list[int]) -> None:
    assert clip_places(frames) == places


@pytest.mark.parametrize("frames", [1, 9, 12, 13, 21, 49, 81])
def test_a_clips_masks_are_packed_as_diffusers_packs_them(frames: int) -> None:
    pipeline = SimpleNamespace(
        transformer=SimpleNamespace(config=SimpleNamespace(patch_size=(1, 2, 2))),
        vae_scale_factor_temporal=4,
        vae_scale_factor_spatial=8,
    )
    mask = random_mask(frames)
    theirs = WanVACEPipeline.prepare_masks(pipeline, mask[None, None].float().expand(-1, 3, -1, -1, -1), [[]])
    assert torch.equal(pack(mask[clip_places(frames)]), theirs[0].transpose(0, 1))


def test_a_chunk_takes_the_middle_of_each_latent_frame() -> None:
    assert stream_places(9, is_start=True) == [0, 3, 7]
    assert stream_places(12, is_start=False) == clip_places(12)
    assert stream_places(4, is_start=False) == clip_places(4)
    assert stream_places(1, is_start=True) == [0]
    for frames, is_start in ((12, True), (9, False), (0, False)):
        with pytest.raises(ValueError, match=f"{frames} frames do not fill latent frames"):
            stream_places(frames, is_start=is_start)


def test_chunks_of_any_size_pick_the_same_frames() -> None:
    chooser = random.Random(3)
    whole = stream_places(1 + 4 * 60, is_start=True)
    for _ in range(20):
        places, begin = [], 0
        while len(places) < len(whole):
            latents = min(chooser.choice((1, 2, 3)), len(whole) - len(places))
            frames = 4 * latents - (3 if begin == 0 else 0)
            places += [begin + place for place in stream_places(frames, is_start=begin == 0)]
            begin += frames
        assert places == whole


def test_a_mask_is_what_is_brighter_than_the_middle_or_what_the_key_leaves() -> None:
    pixels = np.zeros((1, 1, 4, 4), np.uint8)
    pixels[0, 0, :, :3] = [[127] * 3, [128] * 3, [0, 255, 0], [255, 0, 255]]
    pixels[0, 0, :, 3] = [255, 0, 127, 128]
    assert mask_of(pixels, "luma", is_inverted=False)[0, 0].tolist() == [False, True, True, False]
    assert mask_of(pixels, "luma", is_inverted=True)[0, 0].tolist() == [True, False, False, True]
    assert mask_of(pixels, "alpha", is_inverted=False)[0, 0].tolist() == [True, False, False, True]
