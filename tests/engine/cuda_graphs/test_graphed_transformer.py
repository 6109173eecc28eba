"""Recorded passes: the eager path's bits through every place, prompt, step list, sink and fold, at fixed addresses."""

import pytest
import torch

from engine.caches.folded_pass import FoldedStart, begin_folded
from engine.caches.rolling_cache import RollingCache
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.graphed_transformer import GraphedTransformer
from engine.cuda_graphs.recorder import RecordedWork
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule
from tests.engine.cuda_graphs.tape import TapeRecorder
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_latents, tiny_prompt, tiny_transformer

SCHEDULE = Schedule(5.0)
FOUR = SCHEDULE.warp(PUBLISHED_STEPS)


class Stream:
    """One model's stream: eager over the rolling cache, or recorded over slots."""

    def __init__(self, recorder=None, dtype=torch.float32):
        self.model = tiny_transformer().to(dtype)
        self.dtype = dtype
        self.flow, self.recorder = self.model, recorder
        if recorder is None:
            self.cache = RollingCache(TINY, LATENT_HEIGHT, LATENT_WIDTH, dtype=dtype)
        else:
            self.cache = SlotCache(TINY, LATENT_HEIGHT, LATENT_WIDTH, dtype=dtype)
            self.work = RecordedWork(recorder, "the tiny model")
            self.flow = GraphedTransformer(self.model, self.cache, self.work)
        self.texts = [self.model.encode_text(tiny_prompt(seed=seed).to(dtype)) for seed in (1, 2)]

    def chunk(self, number, frames=3, steps=FOUR, mode="parity_bf16", swap_at=None):
        """Make chunk `number`; with `swap_at` the second prompt plays from that step on."""
        self.cache.begin_chunk(frames, mode, 0.9)
        noises = [tiny_latents(frames, seed=10 * number + i).to(self.dtype) for i in range(len(steps))]
        asked = iter(range(1, len(steps)))
        text = self.texts[0]
        changes = StepChanges(text=lambda: self.texts[int(swap_at is not None and next(asked) >= swap_at)])
        *_, last = denoise_chunk(self.flow, self.cache, text, noises[0], noises[1:], steps, SCHEDULE, changes)
        clean_pass(self.flow, self.cache, text, last.x0)
        return last.x0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_recorded_passes_are_the_eager_ones_bit_for_bit(dtype):
    eager, recorded = Stream(dtype=dtype), Stream(TapeRecorder(), dtype)
    plan = [
        *[{}] * 5,
        {"swap_at": 2},
        {"steps": FOUR[:2], "mode": "ema_fp32"},
        {"steps": (937.5, 500.0, 250.0, 125.0, 60.0), "mode": "ema_fp32"},
        {"mode": "static"},
        *[{"frames": 1}] * 7,
        {"frames": 1, "mode": "as_released", "swap_at": 1},
        {"frames": 1},
        {"mode": "as_released"},
    ]
    for number, how in enumerate(plan):
        assert torch.equal(eager.chunk(number, **how), recorded.chunk(number, **how)), (number, how)
    assert recorded.recorder.recordings > 10
    eager.cache.restart_from_last()
    recorded.cache.restart_from_last()
    assert torch.equal(eager.chunk(90), recorded.chunk(90))
    counts = []
    for _ in range(2):  # what a stream does once is recorded in the second
        eager.cache.reset(), recorded.cache.reset()
        for number in range(4):
            assert torch.equal(eager.chunk(number), recorded.chunk(number))
        counts.append(recorded.recorder.recordings)
    assert counts[0] == counts[1]  # a new stream records nothing anew


@torch.inference_mode()
def test_two_hundred_chunks_keep_every_address_and_record_nothing_new():
    stream = Stream(TapeRecorder())
    for number in range(6):
        stream.chunk(number, steps=FOUR[:2])
    places, recordings = addresses(stream), stream.recorder.recordings
    for number in range(200):
        x0 = stream.chunk(number, steps=FOUR[:2], swap_at=number % 3)
    assert addresses(stream) == places
    assert stream.recorder.recordings == recordings
    assert torch.isfinite(x0).all()


def addresses(stream):
    held = [*stream.cache.keys, *stream.cache.values]
    held += [tensor for pair in stream.flow._text for tensor in pair]
    for buffers in stream.flow._buffers.values():
        held += [buffers.latents, buffers.timesteps, buffers.flow]
    return [tensor.data_ptr() for tensor in held]


@torch.inference_mode()
def test_weights_written_over_are_heard_and_replaced_ones_recorded_anew():
    eager, recorded = Stream(), Stream(TapeRecorder())
    for number in range(5):
        eager.chunk(number), recorded.chunk(number)
    before = recorded.recorder.recordings
    for stream in (eager, recorded):
        stream.model.blocks[0].self_attn.q.weight.mul_(1.5)
    recorded.flow.follow_weights()
    assert torch.equal(eager.chunk(6), recorded.chunk(6))
    assert recorded.recorder.recordings == before
    for stream in (eager, recorded):
        linear = stream.model.blocks[1].ffn[0]
        linear.weight = torch.nn.Parameter(linear.weight * 0.5, requires_grad=False)
    recorded.flow.follow_weights()
    assert torch.equal(eager.chunk(7), recorded.chunk(7))
    assert recorded.recorder.recordings > before


@torch.inference_mode()
def test_what_cannot_be_recorded_plays_as_written_with_a_line_in_the_log(caplog):
    eager, recorded = Stream(), Stream(TapeRecorder(fails=True))
    for number in range(5):
        assert torch.equal(eager.chunk(number), recorded.chunk(number))
    assert recorded.work.is_off
    assert caplog.text.count("is not recorded and plays as written: operation not permitted") == 1
    assert "more lines" not in caplog.text


@pytest.mark.parametrize("is_recorded", [False, True])
@pytest.mark.parametrize("mode", ["parity_bf16", "ema_fp32", "static"])
@torch.inference_mode()
def test_a_clean_pass_folded_into_the_next_first_step_changes_nothing(mode, is_recorded):
    plain = Stream()
    folded = Stream(TapeRecorder())
    if not is_recorded:
        folded.flow, folded.cache.run = folded.model, SlotCache(TINY, 4, 6).run
    unfinished, text = None, plain.texts[0]
    for number in range(8):
        noises = [tiny_latents(3, seed=10 * number + i) for i in range(4)]
        expected = plain.chunk(number, mode=mode)
        flow = folded.flow
        if unfinished is None:
            folded.cache.begin_chunk(3, mode, 0.9)
        else:
            times = SCHEDULE.times(unfinished, 0.0, 0.0, 0.0, *FOUR[:1] * 3)
            flow = FoldedStart(flow, unfinished, begin_folded(folded.cache, 3, mode, 0.9), times)
        *_, last = denoise_chunk(flow, folded.cache, text, noises[0], noises[1:], FOUR, SCHEDULE)
        unfinished = last.x0
        assert torch.allclose(unfinished, expected, atol=1e-4), number
