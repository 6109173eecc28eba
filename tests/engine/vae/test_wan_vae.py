"""The Wan autoencoder against golden tensors, in every legal chunking, and what it refuses."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from engine.vae.latents import LATENT_MEAN, LATENT_STD, frame_count
from engine.vae.wan_vae import WanVae, WanVaeConfig

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "tiny_wan_vae.safetensors"
PUBLISHED_PARAMETERS = 126_892_531  # Wan2.1_VAE.pth
PUBLISHED_TENSORS = 194


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    """The tensors of the golden file, time before channels."""
    tensors = load_file(GOLDEN)
    return {name: t.transpose(1, 2) if name[:2] in ("in", "ou") else t for name, t in tensors.items()}


@pytest.fixture(scope="module")
def vae(golden: dict[str, Tensor]) -> WanVae:
    """The tiny autoencoder with the golden weights."""
    vae = WanVae(WanVaeConfig(dim=8))
    vae.load_state_dict({name[2:]: t for name, t in golden.items() if name.startswith("w.")})
    return vae.requires_grad_(False)


def decode(vae: WanVae, latents: Tensor, chunks: list[int]) -> Tensor:
    """Decode chunk by chunk, unclamped."""
    state, parts = None, []
    for part in latents.split(chunks, dim=1):
        frames, state = vae.decode_raw(part, state)
        parts.append(frames)
    return torch.cat(parts, dim=1)


def encode(vae: WanVae, frames: Tensor, chunks: list[int]) -> Tensor:
    """Encode chunk by chunk."""
    state, parts = None, []
    for part in frames.split(chunks, dim=1):
        latents, state = vae.encode(part, state)
        parts.append(latents)
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("chunks", [[6], [1] * 6, [3, 3], [1, 3, 2], [1, 5], [2, 1, 3]])
def test_decoding_any_chunks_gives_the_reference_frames(
    vae: WanVae, golden: dict[str, Tensor], chunks: list[int]
) -> None:
    frames = decode(vae, golden["in.z"], chunks)
    assert frames.shape == golden["out.pixels_raw"].shape
    assert (frames - golden["out.pixels_raw"]).abs().max() < 1e-5


@pytest.mark.parametrize("chunks", [[21], [1, 4, 4, 4, 4, 4], [1, 8, 8, 4], [5, 16], [9, 12]])
def test_encoding_any_chunks_gives_the_reference_latents(
    vae: WanVae, golden: dict[str, Tensor], chunks: list[int]
) -> None:
    latents = encode(vae, golden["in.pixels"], chunks)
    assert latents.shape == golden["out.latent"].shape
    assert (latents - golden["out.latent"]).abs().max() < 1e-5


def test_chunks_of_three_make_nine_frames_and_then_twelve(vae: WanVae, golden: dict[str, Tensor]) -> None:
    first, state = vae.decode(golden["in.z"][:, :3], None)
    second, _ = vae.decode(golden["in.z"][:, 3:], state)
    assert (first.shape[1], second.shape[1]) == (9, 12) == (frame_count(3, is_start=True), frame_count(3, False))


def test_frames_to_show_are_clamped_and_those_to_compare_are_not(vae: WanVae, golden: dict[str, Tensor]) -> None:
    loud = golden["in.z"][:, :1] * 40.0
    shown, _ = vae.decode(loud, None)
    raw, _ = vae.decode_raw(loud, None)
    assert shown.abs().max() <= 1.0 < raw.abs().max()


def test_a_state_is_a_value_and_continues_twice_alike(vae: WanVae, golden: dict[str, Tensor]) -> None:
    _, state = vae.decode(golden["in.z"][:, :3], None)
    before = [memory.clone() for memory in state.memories]
    once, _ = vae.decode(golden["in.z"][:, 3:], state)
    again, _ = vae.decode(golden["in.z"][:, 3:], state)
    assert torch.equal(once, again)
    assert all(torch.equal(a, b) for a, b in zip(before, state.memories, strict=True))


def test_a_state_holds_no_more_than_it_needs(vae: WanVae, golden: dict[str, Tensor]) -> None:
    _, state = vae.decode(golden["in.z"], None)
    assert all(memory.untyped_storage().nbytes() == memory.nbytes for memory in state.memories)


def test_what_a_stream_carries_reaches_the_next_chunk(vae: WanVae, golden: dict[str, Tensor]) -> None:
    _, state = vae.decode(golden["in.z"][:, :3], None)
    carried, _ = vae.decode_raw(golden["in.z"][:, 3:], state)
    fresh, _ = vae.decode_raw(golden["in.z"][:, 3:], None)
    assert (carried[:, -1] - fresh[:, -1]).abs().max() > 1e-4


def test_the_default_config_is_the_published_autoencoder() -> None:
    with torch.device("meta"):
        vae = WanVae(WanVaeConfig())
    assert len(vae.state_dict()) == PUBLISHED_TENSORS
    assert sum(p.numel() for p in vae.parameters()) == PUBLISHED_PARAMETERS


def test_bfloat16_scales_latents_by_the_rounded_reciprocal() -> None:
    vae = WanVae(WanVaeConfig(dim=2)).requires_grad_(False).bfloat16()
    seen = []
    vae.conv2.register_forward_hook(lambda module, arguments, output: seen.append(arguments[0]))
    latents = torch.randn(1, 1, 16, 2, 2, generator=torch.Generator().manual_seed(3)).bfloat16()
    vae.decode(latents, None)
    mean, std = (torch.tensor(v).bfloat16().view(1, 16, 1, 1, 1) for v in (LATENT_MEAN, LATENT_STD))
    assert torch.equal(seen[0], latents.transpose(1, 2) / (1.0 / std) + mean)


def test_another_topology_streams_too() -> None:
    torch.manual_seed(0)
    config = WanVaeConfig(dim=4, dim_mult=(1, 2, 2), num_res_blocks=1, temporal_downsample=(True, True))
    vae = WanVae(config).requires_grad_(False)
    frames = torch.rand(1, 9, 3, 8, 12) * 2.0 - 1.0
    latents = encode(vae, frames, [9])
    assert latents.shape == (1, 3, 16, 2, 3)
    assert torch.allclose(encode(vae, frames, [1, 4, 4]), latents, atol=1e-5)
    assert torch.allclose(decode(vae, latents, [1, 1, 1]), decode(vae, latents, [3]), atol=1e-5)


@pytest.mark.parametrize("count", [0, 2, 4, 8, 12])
def test_a_stream_of_frames_must_start_with_one_and_fours(vae: WanVae, count: int) -> None:
    with pytest.raises(ValueError, match=rf"starts with 1 \+ 4k frames .* not {count}"):
        vae.encode(torch.zeros(1, count, 3, 16, 16), None)


@pytest.mark.parametrize("count", [0, 1, 5, 13])
def test_a_running_stream_of_frames_takes_fours(vae: WanVae, count: int) -> None:
    _, state = vae.encode(torch.zeros(1, 1, 3, 16, 16), None)
    with pytest.raises(ValueError, match=f"groups of 4 .* not {count}"):
        vae.encode(torch.zeros(1, count, 3, 16, 16), state)


def test_what_does_not_fit_is_refused_with_a_sentence(vae: WanVae) -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        vae.encode(torch.zeros(1, 1, 3, 20, 16), None)
    with pytest.raises(ValueError, match=r"latents must be \(batch, time, 16, height, width\), not \(1, 16, 3, 4, 4\)"):
        vae.decode(torch.zeros(1, 16, 3, 4, 4), None)
    with pytest.raises(ValueError, match="empty chunk"):
        vae.decode(torch.zeros(1, 0, 16, 4, 4), None)
    _, state = vae.decode(torch.zeros(1, 1, 16, 4, 4), None)
    with pytest.raises(ValueError, match=r"runs at batch, height, width \(1, 4, 4\), the chunk has \(1, 2, 2\)"):
        vae.decode(torch.zeros(1, 1, 16, 2, 2), state)
    with pytest.raises(ValueError, match="decode to nothing"):
        frame_count(0, is_start=True)


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ({"dim": 0}, "at least 1"),
        ({"temporal_downsample": (True,)}, "need 3"),
        ({"z_dim": 8}, "one of each per latent channel"),
    ],
)
def test_an_impossible_config_is_refused(sizes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        WanVaeConfig(**sizes)
