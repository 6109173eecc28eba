"""Recorded chunks on a GPU: the eager numbers, nothing that waits, no memory that grows, prompts and LoRAs in place."""

import pytest
import torch

from engine.acceleration import Acceleration
from engine.caches.folded_pass import FoldedStart, begin_folded
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.decoding import decode_beside
from engine.cuda_graphs.graphed_transformer import GraphedTransformer
from engine.cuda_graphs.recorder import CudaRecorder, RecordedWork
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

CUDA = torch.device("cuda")
SCHEDULE = Schedule(5.0)
FOUR = SCHEDULE.warp(PUBLISHED_STEPS)
CHUNKS = 20
AFTER_TWENTY = {torch.float32: 1e-4, torch.bfloat16: 5e-2}  # of the latents' root mean square


@pytest.fixture(autouse=True)
def full_float32():
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


class Stream:
    """The tiny model's stream, eager or recorded."""

    def __init__(self, dtype, *, is_recorded):
        self.model = tiny_transformer().to(CUDA, dtype)
        self.cache = SlotCache(TINY, LATENT_HEIGHT, LATENT_WIDTH, device=CUDA, dtype=dtype)
        self.flow, self.work = self.model, None
        if is_recorded:
            self.work = RecordedWork(CudaRecorder(CUDA), "the tiny model")
            self.flow = GraphedTransformer(self.model, self.cache, self.work)
        self.texts = [self.model.encode_text(tiny_prompt(seed=seed).to(CUDA, dtype)) for seed in (1, 2)]
        self.noises = [
            [tiny_latents(3, seed=10 * chunk + step).to(CUDA, dtype) for step in range(4)] for chunk in range(CHUNKS)
        ]

    def chunk(self, number, swap_at=None):
        """Make chunk `number`; with `swap_at` the second prompt plays from that step on."""
        self.cache.begin_chunk(3, "parity_bf16", 0.999)
        start, *fresh = self.noises[number]
        asked = iter(range(1, 4))
        changes = StepChanges(text=lambda: self.texts[int(swap_at is not None and next(asked) >= swap_at)])
        *_, last = denoise_chunk(self.flow, self.cache, self.texts[0], start, fresh, FOUR, SCHEDULE, changes)
        clean_pass(self.flow, self.cache, self.texts[0], last.x0)
        return last.x0


def distance(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_twenty_recorded_chunks_are_the_eager_ones(dtype):
    eager, recorded = Stream(dtype, is_recorded=False), Stream(dtype, is_recorded=True)
    for number in range(CHUNKS):
        swap_at = 2 if number % 5 == 4 else None
        error = distance(recorded.chunk(number, swap_at), eager.chunk(number, swap_at))
        assert error <= AFTER_TWENTY[dtype], (number, error)
    assert not recorded.work.is_off
    assert recorded.work.recorded >= 3


@torch.inference_mode()
def test_bfloat16_stays_near_float32_for_twenty_chunks():
    wide, narrow = Stream(torch.float32, is_recorded=True), Stream(torch.bfloat16, is_recorded=True)
    errors = [distance(narrow.chunk(number), wide.chunk(number)) for number in range(CHUNKS)]
    assert max(errors) < AFTER_TWENTY[torch.bfloat16], errors


@torch.inference_mode()
def test_recorded_chunks_never_wait_and_take_no_more_memory():
    stream = Stream(torch.bfloat16, is_recorded=True)
    for number in range(6):
        stream.chunk(number)
    torch.cuda.synchronize()
    before, recorded = torch.cuda.memory_allocated(), stream.work.recorded
    torch.cuda.set_sync_debug_mode("error")
    try:
        for number in range(6, CHUNKS):
            x0 = stream.chunk(number, swap_at=1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(x0).all()
    assert stream.work.recorded == recorded
    assert torch.cuda.memory_allocated() - before < 2**20


@torch.inference_mode()
def test_weights_written_over_are_heard_without_recording_anew():
    eager, recorded = Stream(torch.float32, is_recorded=False), Stream(torch.float32, is_recorded=True)
    for number in range(6):
        eager.chunk(number), recorded.chunk(number)
    count = recorded.work.recorded
    for stream in (eager, recorded):
        stream.model.blocks[0].ffn[0].weight.mul_(1.5)
    recorded.flow.follow_weights()
    assert distance(recorded.chunk(6), eager.chunk(6)) < 1e-4
    assert recorded.work.recorded == count


@torch.inference_mode()
def test_a_folded_clean_pass_changes_nothing():
    plain, folded = Stream(torch.float32, is_recorded=False), Stream(torch.float32, is_recorded=True)
    unfinished = None
    for number in range(8):
        start, *fresh = folded.noises[number]
        flow = folded.flow
        if unfinished is None:
            folded.cache.begin_chunk(3)
        else:
            times = SCHEDULE.times(unfinished, 0.0, 0.0, 0.0, *FOUR[:1] * 3)
            memory = begin_folded(folded.cache, 3, "parity_bf16", 0.999)
            flow = FoldedStart(flow, unfinished, memory, times)
        *_, last = denoise_chunk(flow, folded.cache, folded.texts[0], start, fresh, FOUR, SCHEDULE)
        unfinished = last.x0
        assert distance(unfinished, plain.chunk(number)) < 1e-4


@pytest.mark.parametrize(
    "make",
    [
        lambda: WanVae(WanVaeConfig(dim=16)),
        lambda: TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(16, 8, 8, 8))),
    ],
    ids=["wan_vae", "tiny_vae"],
)
@torch.inference_mode()
def test_decoding_beside_gives_the_frames_of_decoding_in_line(make):
    """Channels last, fused, recorded, on a stream of its own and page-locked, against none of that on the CPU."""
    torch.manual_seed(0)
    decoder = make().eval()
    latents = [torch.randn(1, 3, 16, 4, 6) for _ in range(6)]
    plain, state = [], None
    for chunk in latents:
        frames, state = decoder.decode(chunk, state)
        plain.append((frames[0].clamp(-1, 1) * 127.5 + 127.5).permute(0, 2, 3, 1))
    decoding, state = decode_beside(decoder.to(CUDA), CUDA, Acceleration()), None
    assert decoding.is_beside
    orders = []
    for chunk in latents:
        orders.append(decoding.order(chunk.to(CUDA), state))
        state = orders[-1].state
    for order, expected in zip(orders, plain, strict=True):
        rgba = torch.from_numpy(order.take())
        assert (rgba[..., 3] == 255).all()
        assert (rgba[..., :3].float() - expected).abs().max() <= 1.0
