"""Times the reference: whole clips as its own command makes them, and what of that the transformer takes per chunk.

A clip begins with an empty window, so its first two chunks are cheaper: they count in the clip's frames per second,
to its favour, and not in the chunk times.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.benchmark.clocks import median_ms, wait_for
from engine.benchmark.environment import card_state, describe, device_memory
from engine.benchmark.figures import has_settled, spread
from engine.benchmark.jobs import Job
from engine.benchmark.upstream.attention import choose_as_shipped, choose_best
from engine.benchmark.upstream.checkout import open_checkout
from engine.benchmark.upstream.stream import TinyDecoder, build, fit
from engine.loading import choose_device
from engine.model_presets import load_preset
from engine.vae.latents import LATENT_STRIDE

CLIP_CHUNKS = 21  # three times the clip of its own command, so that its window is full most of the time
WARM_UP_CHUNKS = 7  # its own command's clip
MOST_WARM_UP_CLIPS = 6
FULL_WINDOW_CHUNKS = 3  # from this chunk of a clip on (from 0) every one costs the same
FRAMES_PER_CHUNK = 12
SMOKE_WAN_DIM, WAN_DIM = 8, 96
COMPILE_MODE = "max-autotune-no-cudagraphs"  # what projects of its kind ship with


@dataclass
class Clip:
    """One clip: seconds until its last pixel is on the device, milliseconds of each chunk's transformer passes."""

    s: float
    frames: int
    chunk_ms: list[float]
    latents: Tensor

    @property
    def full_ms(self) -> list[float]:
        """The transformer's time of every chunk whose window is full."""
        return self.chunk_ms[FULL_WINDOW_CHUNKS:]

    @property
    def shared_ms(self) -> list[float]:
        """The same with each chunk's share of what the rest of the clip took: decoding."""
        rest_ms = (self.s * 1e3 - sum(self.chunk_ms)) / len(self.chunk_ms)
        return [taken + rest_ms for taken in self.full_ms]


class CallTimes:
    """Marks the beginning of every pass of the reference's transformer, and the end of the last."""

    def __init__(self, transformer: nn.Module, device: torch.device) -> None:
        self._device = device
        self._begun: list[torch.cuda.Event | float] = []
        self._ended: torch.cuda.Event | float = 0.0
        transformer.register_forward_pre_hook(lambda *_: self._begun.append(self._mark()))
        transformer.register_forward_hook(lambda *_: self._end())

    def chunks_ms(self, passes: int) -> list[float]:
        """Milliseconds from the beginning of each chunk's first pass to that of the next; forgets them."""
        marks = [*self._begun[::passes], self._ended]
        self._begun = []
        wait_for(self._device)
        return [_between_ms(before, after) for before, after in zip(marks, marks[1:], strict=False)]

    def _mark(self) -> torch.cuda.Event | float:
        if self._device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _end(self) -> None:
        self._ended = self._mark()


@torch.no_grad()  # as its own command does
def measure_upstream(job: Job) -> dict[str, object]:
    """Everything the job asks for, ready for JSON. Raises ValueError for a checkout that does not fit."""
    device = choose_device(job.device)
    preset = load_preset(job.model)
    config, size = preset.transformer, job.size
    before = card_state()
    checkout = open_checkout(Path(job.checkout))
    tokens = (size[0] // (2 * LATENT_STRIDE)) * (size[1] // (2 * LATENT_STRIDE))
    shape = (config.chunk_frames * tokens, config.window_frames * tokens, config.num_heads, config.head_dim)
    if job.variant == "as-shipped" and device.type == "cuda":
        attention = choose_as_shipped(checkout)
    else:
        attention = choose_best(checkout, shape, device, torch.bfloat16)
    pipeline = build(checkout, Path(job.weights), config, SMOKE_WAN_DIM if job.is_smoke else WAN_DIM, device)
    said = [f"attention: {attention}"]
    said += [f"stood in for: {', '.join(checkout.stubs)}"] if checkout.stubs else []
    said += ["its lengths, written down for 832x480, were made to fit"] if fit(pipeline, config, size, device) else []
    if job.variant == "tiny-decoder":
        pipeline.vae = TinyDecoder(checkout, config.chunk_frames, device)
    calls = CallTimes(pipeline.generator, device)
    if job.variant == "compiled":
        pipeline.generator.model = torch.compile(pipeline.generator.model, mode=COMPILE_MODE)
    figures = _figures(job, pipeline, calls, size, device)
    return {
        "environment": describe(device),
        "figures": {
            **figures,
            "size": f"{size[0]}x{size[1]}",
            "said": "; ".join(said),
            "card": {"before": before, "after": card_state()},
        },
    }


def _figures(
    job: Job, pipeline: nn.Module, calls: CallTimes, size: tuple[int, int], device: torch.device
) -> dict[str, object]:
    """Warm up, play clips, and what decoding takes chunk by chunk."""
    cold_s = round((time.monotonic_ns() - job.started_ns) / 1e9, 3)
    shortest = FULL_WINDOW_CHUNKS + 1
    settled = _warm_up(pipeline, calls, size, device, shortest if job.is_smoke else WARM_UP_CHUNKS)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    clips, left = [], job.chunks
    while left > 0:
        clips.append(_play(pipeline, calls, size, max(shortest, min(left, CLIP_CHUNKS)), device))
        left -= CLIP_CHUNKS
    memory = device_memory()
    whole = [taken for clip in clips for taken in clip.shared_ms]
    frames, seconds = sum(clip.frames for clip in clips), sum(clip.s for clip in clips)
    transformer = spread([taken for clip in clips for taken in clip.full_ms])
    decode_ms = _decode_ms(pipeline, clips[-1].latents, device)
    return {
        "fps": round(frames / seconds, 3),
        "chunks": sum(len(clip.chunk_ms) for clip in clips),
        "frames": frames,
        "s": round(seconds, 4),
        "is_finite": bool(torch.isfinite(clips[-1].latents).all()),
        "chunk_ms": spread(whole),
        "chunk_times_ms": [round(taken, 3) for taken in whole],
        "transformer": {"fps": round(FRAMES_PER_CHUNK / transformer["mean"] * 1e3, 3), "chunk_ms": transformer},
        "streamed": {
            "decode_chunk_ms": round(decode_ms, 3),
            "fps": round(FRAMES_PER_CHUNK / (transformer["mean"] + decode_ms) * 1e3, 3),
        },
        "memory": memory,
        "cold": {"loaded_s": cold_s},
        "warm_up": settled,
    }


def _warm_up(
    pipeline: nn.Module, calls: CallTimes, size: tuple[int, int], device: torch.device, chunks: int
) -> dict[str, object]:
    began_s, times_ms, clips = time.perf_counter(), [], 0
    while clips < MOST_WARM_UP_CLIPS and not has_settled(times_ms):
        times_ms += _play(pipeline, calls, size, chunks, device).full_ms
        clips += 1
    return {"clips": clips, "s": round(time.perf_counter() - began_s, 3), "has_settled": has_settled(times_ms)}


def _play(pipeline: nn.Module, calls: CallTimes, size: tuple[int, int], chunks: int, device: torch.device) -> Clip:
    """One clip by its own function, from noise to the last pixel."""
    frames = chunks * pipeline.num_frame_per_block
    height, width = size[1] // LATENT_STRIDE, size[0] // LATENT_STRIDE
    noise = torch.randn(1, frames, 16, height, width, device=device, dtype=torch.bfloat16)
    wait_for(device)
    began_s = time.perf_counter()
    video, latents = pipeline.inference(noise=noise, text_prompts=[""], return_latents=True)
    wait_for(device)
    taken_s = time.perf_counter() - began_s
    return Clip(taken_s, video.shape[1], calls.chunks_ms(len(pipeline.denoising_step_list) + 1), latents)


def _decode_ms(pipeline: nn.Module, latents: Tensor, device: torch.device) -> float:
    """Milliseconds of its own decoding, a chunk at a time with what it keeps in between."""
    chunk = latents[:, : pipeline.num_frame_per_block]
    if not isinstance(pipeline.vae, TinyDecoder):
        pipeline.vae.model.clear_cache()
    return median_ms(device, lambda: pipeline.vae.decode_to_pixel(chunk, use_cache=True), runs=5)


def _between_ms(before: torch.cuda.Event | float, after: torch.cuda.Event | float) -> float:
    if isinstance(before, float) or isinstance(after, float):
        return (float(after) - float(before)) * 1e3
    return before.elapsed_time(after)
