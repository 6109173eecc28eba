"""The tiny autoencoder: streams equal wholes, frames line up, published shapes and keys."""

import pytest
import torch
from torch.nn import functional

from engine.vae.latents import frame_count
from engine.vae.tiny_vae import PRESETS, TGrow, TinyVae, TinyVaeConfig, TinyVaeState, load_tiny_vae, preset

NARROW = TinyVaeConfig(encoder_widths=(4, 6, 8), decoder_widths=(12, 8, 6, 4))
LATENT_FRAMES = 7


@pytest.fixture(scope="module")
def vae() -> TinyVae:
    torch.manual_seed(1)
    return TinyVae(NARROW).eval()


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.rand(2, frame_count(LATENT_FRAMES, is_start=True), 3, 16, 24, generator=generator) * 2 - 1


def _decode_in(vae: TinyVae, latents: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    state, parts = None, []
    for part in latents.split(sizes, dim=1):
        made, state = vae.decode(part, state)
        parts.append(made)
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("sizes", [[1] * 7, [3, 3, 1], [1, 2, 4], [1, 6], [6, 1]])
@torch.inference_mode()
def test_decoding_in_chunks_equals_decoding_at_once(vae: TinyVae, sizes: list[int]) -> None:
    latents = torch.randn(2, LATENT_FRAMES, 16, 2, 3, generator=torch.Generator().manual_seed(3))
    whole, _ = vae.decode(latents)
    assert whole.shape == (2, frame_count(LATENT_FRAMES, is_start=True), 3, 16, 24)
    assert whole.std() > 0.01
    torch.testing.assert_close(_decode_in(vae, latents, sizes), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sizes", [[1, 4, 4, 4, 4, 4, 4], [9, 12, 4], [5, 20], [1, 24]])
@torch.inference_mode()
def test_encoding_in_chunks_equals_encoding_at_once(vae: TinyVae, frames: torch.Tensor, sizes: list[int]) -> None:
    whole, _ = vae.encode(frames)
    assert whole.shape == (2, LATENT_FRAMES, 16, 2, 3)
    state, parts = None, []
    for part in frames.split(sizes, dim=1):
        latents, state = vae.encode(part, state)
        parts.append(latents)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_a_state_can_be_continued_twice(vae: TinyVae) -> None:
    latents = torch.randn(1, 3, 16, 2, 2, generator=torch.Generator().manual_seed(4))
    _, state = vae.decode(latents)
    first, _ = vae.decode(latents, state)
    second, _ = vae.decode(latents, state)
    assert torch.equal(first, second)


@torch.inference_mode()
def test_frames_do_not_depend_on_later_ones(vae: TinyVae, frames: torch.Tensor) -> None:
    changed = frames.clone()
    changed[:, 9:] = 0.0
    before, _ = vae.encode(frames)
    after, _ = vae.encode(changed)
    torch.testing.assert_close(after[:, :3], before[:, :3], atol=1e-6, rtol=0)
    assert not torch.allclose(after[:, 3], before[:, 3])


@torch.inference_mode()
def test_pixels_are_clamped_and_gradients_reach_the_unclamped_ones(vae: TinyVae) -> None:
    latents = torch.randn(1, 2, 16, 2, 2, generator=torch.Generator().manual_seed(5)) * 50
    made, _ = vae.decode(latents)
    assert made.min() >= -1.0
    assert made.max() <= 1.0


def test_the_published_model_has_the_published_shapes() -> None:
    with torch.device("meta"):
        weights = TinyVae(preset("taew2_1")).state_dict()
    assert len(weights) == 128
    assert tuple(weights["decoder.13.conv.weight"].shape) == (256, 128, 1, 1)
    assert tuple(weights["decoder.7.conv.weight"].shape) == (256, 256, 1, 1)
    assert tuple(weights["encoder.2.conv.weight"].shape) == (64, 128, 1, 1)
    assert tuple(weights["decoder.3.conv.0.weight"].shape) == (256, 512, 3, 3)
    sizes = {side: sum(w.numel() for k, w in weights.items() if k.startswith(side)) for side in ("encoder", "decoder")}
    assert sizes["decoder"] == pytest.approx(9.84e6, rel=0.01)
    assert sizes["encoder"] == pytest.approx(1.47e6, rel=0.01)


@torch.inference_mode()
def test_of_a_longer_tgrow_the_last_rows_are_kept(vae: TinyVae) -> None:
    weights = dict(vae.state_dict())
    own = weights["decoder.7.conv.weight"]
    weights["decoder.7.conv.weight"] = torch.cat((torch.zeros_like(own), own))
    loaded = load_tiny_vae(NARROW, weights)
    assert torch.equal(loaded.decoder["7"].conv.weight, own)


def test_latent_statistics_are_applied_on_both_sides(vae: TinyVae, frames: torch.Tensor) -> None:
    config = TinyVaeConfig(encoder_widths=(4, 6, 8), decoder_widths=(12, 8, 6, 4), has_latent_statistics=True)
    with torch.inference_mode():
        light = load_tiny_vae(config, dict(vae.state_dict())).eval()
        plain_latents, light_latents = vae.encode(frames)[0], light.encode(frames)[0]
        assert not torch.allclose(plain_latents, light_latents)
        torch.testing.assert_close(light.decode(light_latents)[0], vae.decode(plain_latents)[0], atol=1e-4, rtol=0)


def test_wrong_frame_counts_sizes_and_configurations_are_sentences(vae: TinyVae) -> None:
    with pytest.raises(ValueError, match=r"1 \+ 4k at the start"):
        vae.encode(torch.zeros(1, 4, 3, 16, 16))
    with pytest.raises(ValueError, match="4k within a stream"):
        vae.encode(torch.zeros(1, 5, 3, 16, 16), TinyVaeState(()))
    with pytest.raises(ValueError, match="not divisible by 8"):
        vae.encode(torch.zeros(1, 1, 3, 12, 16))
    with pytest.raises(ValueError, match="known are ember"):
        preset("taew9")
    with pytest.raises(ValueError, match="decoder_widths"):
        TinyVaeConfig(decoder_widths=(1, 2, 3))
    _, state = vae.decode(torch.zeros(1, 1, 16, 2, 2))
    with pytest.raises(ValueError, match="start a new stream"):
        vae.decode(torch.zeros(1, 1, 16, 4, 2), state)
    with pytest.raises(ValueError, match=r"missing decoder\.22\.bias"):
        load_tiny_vae(NARROW, {k: v for k, v in vae.state_dict().items() if k != "decoder.22.bias"})


def test_the_presets_are_whole() -> None:
    assert set(PRESETS) == {"ember", "taew2_1", "lighttaew2_1"}


@pytest.mark.parametrize("stride", [1, 2])
def test_growing_equals_the_published_nearest_then_two_convolutions(stride):
    torch.manual_seed(0)
    grow, follower = TGrow(6, stride), torch.nn.Conv2d(6, 5, 3, padding=1, bias=False)
    x = torch.randn(4, 6, 7, 9).contiguous(memory_format=torch.channels_last)
    large = grow.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
    published = follower(large.reshape(4 * stride, 6, 14, 18))
    merged = grow(x, follower)
    assert torch.allclose(merged, published, atol=1e-6)
    assert merged.is_contiguous(memory_format=torch.channels_last)
