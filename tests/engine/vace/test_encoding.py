"""Both masked streams, chunk by chunk, are encoded as whole clips are, and neither sees the other."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor

from engine.vace.encoding import REBUILT, SETTLED, MaskedEncoder
from engine.vace.frames import split
from engine.vace.state import MaskedStream
from engine.vae.latents import StreamingEncoder, frame_count
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig

LATENT_SIZE = (2, 3)
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=["wan", "tiny"])
def vae(request: pytest.FixtureRequest) -> StreamingEncoder:
    """Random weights, biases included, so that mid grey is not encoded to zero."""
    torch.manual_seed(1)
    if request.param == "wan":
        made = WanVae(WanVaeConfig(dim=4))
    else:
        made = TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8)))
        for weight in made.encoder.parameters():
            weight.data *= 1.8  # as fresh weights are, hardly anything would get through so many layers
    return made.eval().requires_grad_(False)


def clip(latents: int, seed: int) -> tuple[Tensor, Tensor]:
    """Frames (1, T, 3, H, W) of a stream and a mask (T, H, W) that changes from frame to frame."""
    shape = (frame_count(latents, is_start=True), LATENT_SIZE[0] * 8, LATENT_SIZE[1] * 8)
    generator = torch.Generator().manual_seed(seed)
    frames = torch.rand(1, shape[0], 3, *shape[1:], generator=generator) * 2.0 - 1.0
    return frames, torch.rand(shape, generator=generator) > 0.5


def chunks_of(frames: Tensor, seed: int) -> list[Tensor]:
    """Cut frames (1, T, ..) of a stream into chunks of 1 and 3 latent frames."""
    chooser, parts, begin = random.Random(seed), [], 0
    while begin < frames.shape[1]:
        count = frame_count(chooser.choice((1, 3)), is_start=begin == 0)
        parts.append(frames[:, begin : begin + count])
        begin += count
    return parts


def masked(vae: StreamingEncoder) -> MaskedEncoder:
    return MaskedEncoder(vae, LATENT_SIZE, CPU, torch.float32)


def encode(encoder: MaskedEncoder, stream: MaskedStream, part: Tensor | None, latents: int, is_start: bool) -> Tensor:
    return encoder.encode(stream, part, latents, is_start=is_start)


@torch.inference_mode()
def test_two_streams_are_encoded_as_their_whole_clips_are(vae: StreamingEncoder) -> None:
    frames, mask = clip(8, seed=2)
    whole = [vae.encode(part, None)[0] for part in split(frames, frames, mask)]
    encoder, streams, made = masked(vae), [MaskedStream(), MaskedStream()], ([], [])
    parts = zip(*(chunks_of(part, seed=3) for part in split(frames, frames, mask)), strict=True)
    for number, both in enumerate(parts):
        for stream, part, collected in zip(streams, both, made, strict=True):
            latents = (part.shape[1] + 3) // 4
            collected.append(encode(encoder, stream, part, latents, number == 0))
    for collected, expected in zip(made, whole, strict=True):
        assert (torch.cat(collected, dim=1)[:, : expected.shape[1]] - expected).abs().max() < 1e-5
    assert (whole[0] - whole[1]).abs().max() > 1e-2


@torch.inference_mode()
def test_mid_grey_is_encoded_once_and_exactly(vae: StreamingEncoder) -> None:
    length = SETTLED + 9
    grey = torch.zeros(1, frame_count(length, is_start=True), 3, LATENT_SIZE[0] * 8, LATENT_SIZE[1] * 8)
    whole, _ = vae.encode(grey, None)
    assert torch.equal(whole[:, SETTLED:], whole[:, SETTLED : SETTLED + 1].expand_as(whole[:, SETTLED:]))
    assert not torch.equal(whole[:, 0], whole[:, SETTLED])
    counted = Counted(vae)
    encoder = masked(counted)
    for _ in range(3):  # three streams after each other
        stream, made = MaskedStream(), []
        while sum(part.shape[1] for part in made) < length:
            made.append(encode(encoder, stream, None, 3, not made))
        assert (torch.cat(made, dim=1)[:, :length] - whole).abs().max() < 1e-5
    assert counted.latents == SETTLED + 1


@torch.inference_mode()
@pytest.mark.parametrize("grey_latents", [3, 6, SETTLED + 6])
def test_a_picture_after_mid_grey_is_encoded_as_in_the_whole_clip(vae: StreamingEncoder, grey_latents: int) -> None:
    frames, _ = clip(grey_latents + 3, seed=4)
    frames[:, : frame_count(grey_latents, is_start=True)] = 0.0
    whole, _ = vae.encode(frames, None)
    encoder, stream = masked(vae), MaskedStream()
    for place in range(0, grey_latents, 3):
        encode(encoder, stream, None, 3, place == 0)
    made = encode(encoder, stream, frames[:, -12:], 3, False)
    assert (made - whole[:, -3:]).abs().max() < 1e-5


@torch.inference_mode()
def test_a_second_stream_that_leaves_grey_early_is_given_a_state_of_its_own(vae: StreamingEncoder) -> None:
    encoder = masked(vae)
    first, second = MaskedStream(), MaskedStream()
    for place in range(0, SETTLED + 3, 3):
        encode(encoder, first, None, 3, place == 0)
    frames, _ = clip(REBUILT + 3, seed=5)
    frames[:, : frame_count(REBUILT, is_start=True)] = 0.0
    encode(encoder, second, None, REBUILT, True)
    made = encode(encoder, second, frames[:, -12:], 3, False)
    assert (made - vae.encode(frames, None)[0][:, -3:]).abs().max() < 1e-5


@torch.inference_mode()
def test_grey_after_a_picture_goes_on_until_the_picture_is_forgotten(vae: StreamingEncoder) -> None:
    length = SETTLED + 6
    frames, _ = clip(3 + length, seed=6)
    frames[:, 9:] = 0.0
    whole, _ = vae.encode(frames, None)
    encoder, stream = masked(vae), MaskedStream()
    made = [encode(encoder, stream, frames[:, :9], 3, True)]
    made += [encode(encoder, stream, None, 3, False) for _ in range(length // 3)]
    made = torch.cat(made, dim=1)
    assert (made - whole[:, : made.shape[1]]).abs().max() < 1e-5
    assert stream.encoder is None


@torch.inference_mode()
def test_a_stream_that_comes_in_later_is_shown_its_first_frame_before(vae: StreamingEncoder) -> None:
    frames, _ = clip(4, seed=7)
    encoder, stream = masked(vae), MaskedStream()
    made = encode(encoder, stream, frames[:, 1:], 3, False)
    _, state = vae.encode(frames[:, 1:2], None)
    assert torch.equal(made, vae.encode(frames[:, 1:], state)[0])


class Counted:
    """An encoder that counts the latent frames it makes."""

    def __init__(self, vae: StreamingEncoder) -> None:
        self._vae = vae
        self.latents = 0

    def encode(self, frames: Tensor, state: object) -> tuple[Tensor, object]:
        made, state = self._vae.encode(frames, state)
        self.latents += made.shape[1]
        return made, state
