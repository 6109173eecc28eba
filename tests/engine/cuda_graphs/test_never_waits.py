"""Nothing inside a chunk waits for the device: all of it runs where tensors have shapes and no values at all.

On the meta device whoever asks for a number (.item(), nonzero, a copy to the host, a branch on a tensor) fails at once.
"""

import pytest
import torch

from engine.caches.folded_pass import FoldedStart, begin_folded
from engine.caches.slot_cache import SlotCache
from engine.latent_anchor import LatentAnchor
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule, renoise
from engine.vae.decode_stream import DecodeStream
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

META = torch.device("meta")
SCHEDULE = Schedule(5.0)
FOUR = SCHEDULE.warp(PUBLISHED_STEPS)
MODES = ("parity_bf16", "ema_fp32", "static", "as_released")


def noises(frames):
    return [tiny_latents(frames, seed=i).to(META) for i in range(4)]


@torch.inference_mode()
def test_steps_rolls_and_clean_passes():
    model = tiny_transformer().to(META)
    text = model.encode_text(tiny_prompt().to(META))
    cache = SlotCache(TINY, LATENT_HEIGHT, LATENT_WIDTH, device=META)
    for _ in range(3):
        cache.begin_chunk(3)  # full: each that follows rolls
    anchor = LatentAnchor(0.5)
    for mode in MODES:
        cache.begin_chunk(3, mode, 0.9)
        start, *fresh = noises(3)
        *_, last = denoise_chunk(model, cache, text, start, fresh, FOUR[:2], SCHEDULE)
        clean_pass(model, cache, text, anchor.hold(last.x0, text))
    cache.restart_from_last()


@torch.inference_mode()
def test_folded_passes():
    model = tiny_transformer().to(META)
    text = model.encode_text(tiny_prompt().to(META))
    cache = SlotCache(TINY, LATENT_HEIGHT, LATENT_WIDTH, device=META)
    cache.begin_chunk(3)
    x0 = noises(3)[0]
    cache.begin_chunk(3)
    cache.begin_chunk(3)
    start, *_ = noises(3)
    times = SCHEDULE.times(x0, 0.0, 0.0, 0.0, *FOUR[:1] * 3)
    flow = FoldedStart(model, x0, begin_folded(cache, 3, "ema_fp32", 0.9), times)
    list(denoise_chunk(flow, cache, text, start, [], FOUR[:1], SCHEDULE))


@pytest.mark.parametrize(
    "make",
    [
        lambda: WanVae(WanVaeConfig(dim=8)),
        lambda: TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))),
    ],
    ids=["wan_vae", "tiny_vae"],
)
@torch.inference_mode()
def test_decoding_up_to_the_frames_being_taken(make):
    decoding, state = DecodeStream(make().eval().to(META), META), None
    for frames in (3, 3, 1):
        order = decoding.order(torch.empty(1, frames, 16, 4, 6, device=META), state)
        state = order.state
    with pytest.raises((RuntimeError, NotImplementedError)):
        order.take()  # this is where it waits


def test_what_waits_is_refused():
    with pytest.raises(RuntimeError):
        renoise(torch.empty(2, device=META), torch.empty(2, device=META), torch.empty((), device=META).item())
