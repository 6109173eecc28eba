"""Inputs encoded chunk by chunk are what a clip encoded at once is: both autoencoders, two streams, from any moment."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.vae.frame_by_frame import FrameByFrame
from engine.vae.frame_encoding import encode_live
from engine.vae.latents import StreamingEncoder, frame_count
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig

CHUNKS = 3


def make_tiny() -> TinyVae:
    return TinyVae(TinyVaeConfig(encoder_widths=(4, 6, 8), decoder_widths=(12, 8, 6, 4))).eval()


def make_wan() -> WanVae:
    return WanVae(WanVaeConfig(dim=4)).eval()


def make_light() -> FrameByFrame:
    return FrameByFrame(make_wan())


@pytest.fixture(scope="module", params=[make_tiny, make_wan, make_light], ids=["tiny", "wan", "frame by frame"])
def encoder(request: pytest.FixtureRequest) -> StreamingEncoder:
    torch.manual_seed(3)
    return request.param()


def clip(frames: int, seed: int) -> Tensor:
    """(1, T, 3, 16, 24) in [-1, 1]."""
    return torch.rand(1, frames, 3, 16, 24, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("latent_frames", [1, 3])
@pytest.mark.parametrize("is_start", [True, False], ids=["start", "mid-stream"])
@torch.inference_mode()
def test_two_streams_in_turn_equal_two_whole_clips(encoder: StreamingEncoder, latent_frames: int, is_start: bool):
    sizes = [frame_count(latent_frames, is_start=is_start and k == 0) for k in range(CHUNKS)]
    clips = [clip(sum(sizes), seed) for seed in (1, 2)]
    streamed, states = ([], []), [None, None]
    for k in range(CHUNKS):
        for stream, frames in enumerate(clips):
            part = frames.split(sizes, dim=1)[k]
            latents, states[stream] = encode_live(encoder, part, states[stream], is_start=is_start and k == 0)
            assert latents.shape[1] == latent_frames
            streamed[stream].append(latents)
    for frames, parts in zip(clips, streamed, strict=True):
        # from the middle on: the first frame stands alone before all of them, so that each latent is four frames
        at_once = frames if is_start else torch.cat([frames[:, :1], frames], dim=1)
        whole, _ = encoder.encode(at_once, None)
        expected = whole if is_start else whole[:, 1:]
        assert expected.std() > 1e-3
        torch.testing.assert_close(torch.cat(parts, dim=1), expected, atol=1e-5, rtol=0)
