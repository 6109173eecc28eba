"""The same numbers on a GPU as on the CPU, and nothing inside a chunk that waits for the device."""

import dataclasses
from pathlib import Path

import pytest
import torch

from engine.caches.slot_cache import SlotCache
from engine.golden import stream_output
from engine.model.vace import Guide, streaming_attention
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden" / "tiny_causal_dit.safetensors"
CUDA = torch.device("cuda")


@pytest.fixture(autouse=True)
def full_float32():
    """TensorFloat-32 off: parity is judged in true float32."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


@pytest.mark.parametrize(("dtype", "gate"), [(torch.float32, 1e-4), (torch.bfloat16, 2e-2)])
def test_golden_file(dtype, gate):
    made, expected = stream_output(GOLDEN, CUDA, dtype)
    error = (made.cpu().double() - expected.double()).norm() / expected.double().norm()
    assert error < gate


@pytest.mark.parametrize("is_guided", [False, True])
@torch.inference_mode()
def test_a_chunk_never_waits_for_the_device(is_guided):
    config = dataclasses.replace(TINY, vace_layers=(0, 1), vace_in_dim=8)
    model = tiny_transformer(config).to(CUDA)
    text = model.encode_text(tiny_prompt().to(CUDA))
    cache = SlotCache(config, LATENT_HEIGHT, LATENT_WIDTH, device=CUDA)
    context = torch.randn(1, 4, 8, LATENT_HEIGHT, LATENT_WIDTH, device=CUDA)  # a reference and three frames
    memory = streaming_attention(config, 4, (LATENT_HEIGHT, LATENT_WIDTH), CUDA)
    guide = Guide(context, memory, 1.0, reference_frames=1) if is_guided else None
    changes = StepChanges(guide=lambda _: guide)
    schedule = Schedule(5.0)
    timesteps = schedule.warp(PUBLISHED_STEPS)
    noises = [tiny_latents(3, seed=i).to(CUDA) for i in range(4)]
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):  # the fourth chunk evicts
            cache.begin_chunk(3, "ema_fp32", 0.99)
            *_, last = denoise_chunk(model, cache, text, noises[0], noises[1:], timesteps, schedule, changes)
            clean_pass(model, cache, text, last.x0)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(last.x0).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: WanVae(WanVaeConfig(dim=8)),
        lambda: TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(16, 8, 8, 8))),
    ],
    ids=["wan_vae", "tiny_vae"],
)
@torch.inference_mode()
def test_streaming_decoders_agree_with_the_cpu(make):
    torch.manual_seed(0)
    decoder = make().eval()
    latents = torch.randn(1, 4, 16, 4, 6)
    on_cpu, _ = decoder.decode(latents, None)
    decoder.to(CUDA)
    first, state = decoder.decode(latents[:, :1].to(CUDA), None)
    rest, _ = decoder.decode(latents[:, 1:].to(CUDA), state)
    assert torch.allclose(torch.cat([first, rest], 1).cpu(), on_cpu, atol=1e-3)
