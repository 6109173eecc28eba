"""One configuration of ours, from loading to every figure a job asks for."""

from __future__ import annotations

import dataclasses
import gc
import statistics
import time

import torch

from engine.benchmark.clocks import StageClock, copy_bytes_per_s, matmul_flops, wait_for
from engine.benchmark.environment import card_state, describe, device_memory, memory_in_use
from engine.benchmark.flops import chunk_flop
from engine.benchmark.jobs import Job
from engine.benchmark.kernels import kernel_times
from engine.benchmark.prompt_switch import SETTLE_S, prompt_switches
from engine.benchmark.stages import stage_times, without_decoding
from engine.benchmark.streams import Played, first_frames, play, warm_up
from engine.generator import Generator
from engine.generator_loading import load_generator
from engine.loading import choose_device, choose_dtype
from engine.model_presets import ModelPreset, load_preset
from engine.params import ChunkParams
from engine.plans.memory_plan import MemoryChoice
from engine.vae.latents import LATENT_STRIDE

MOST_STAGE_CHUNKS = 30
DRIFT_CHUNKS = 50  # at either end
MOST_TRANSFORMER_CHUNKS = 60


@torch.inference_mode()
def measure(job: Job) -> dict[str, object]:
    """Everything the job asks for, ready for JSON. Raises what loading and playing a model raises."""
    device = choose_device(job.device)
    preset = _preset(job)
    params = dataclasses.replace(ChunkParams(), chunk_frames=job.chunk_frames, seed=job.seed)
    before = card_state()
    generator = _load(job, preset)
    first, settled = _start(generator, params, job)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    begun = memory_in_use()
    played = play(generator, params, job.chunks)
    figures: dict[str, object] = {
        **played.figures(),
        "size": f"{generator.width}x{generator.height}",
        "chunk_frames": job.chunk_frames,
        "dtype": str(choose_dtype(job.dtype, device)).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "accelerate": list(preset.acceleration.words),
        "cold": first,
        "warm_up": settled,
        "memory": device_memory(),
        "drift": _drift(played, begun),
        "card": {"before": before, "after": card_state()},
    }
    figures |= _further(job, generator, params, device)
    generator.close()
    del generator
    _free(device)
    if "transformer" in job.parts:
        figures |= _transformer_alone(job, preset, params, device)
    if "switch" in job.parts:
        figures["prompt_switch"] = {
            f"{frames}@{rate:g}": _switches(job, preset, frames, rate, device) for frames, rate in job.paces
        }
    return {"environment": describe(device), "figures": figures}


def _drift(played: Played, begun_bytes: int) -> dict[str, float]:
    """What the last chunks cost beside the first, and what memory has grown by."""
    first, last = played.times_ms[:DRIFT_CHUNKS], played.times_ms[-DRIFT_CHUNKS:]
    return {
        "chunks": len(played.times_ms),
        "first_ms": round(statistics.median(first), 3),
        "last_ms": round(statistics.median(last), 3),
        "memory_growth_bytes": memory_in_use() - begun_bytes,
    }


def _preset(job: Job) -> ModelPreset:
    preset = load_preset(job.model)
    return dataclasses.replace(preset, acceleration=preset.acceleration.changed(job.accelerate))


def _load(job: Job, preset: ModelPreset) -> Generator:
    width, height = job.size
    if job.memory_gb and torch.cuda.is_available():  # held to it, so that the plan is true
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, job.memory_gb * 1e9 / total))
    return load_generator(
        preset,
        width=width or None,
        height=height or None,
        device=job.device,
        dtype=job.dtype,
        threads=job.threads or None,
        memory=MemoryChoice(limit_gb=job.memory_gb),
    )


def _start(generator: Generator, params: ChunkParams, job: Job) -> tuple[dict[str, float], dict[str, object]]:
    """Seconds from the process's start to the first frames and to full speed; and how it warmed up."""

    def since_start_s() -> float:
        return round((time.monotonic_ns() - job.started_ns) / 1e9, 3)

    loaded_s = since_start_s()
    play(generator, params, 1)
    first_s = since_start_s()
    settled = warm_up(generator, params, job.most_warm_up_chunks)
    return {"loaded_s": loaded_s, "first_frames_s": first_s, "full_speed_s": since_start_s()}, settled


def _further(job: Job, generator: Generator, params: ChunkParams, device: torch.device) -> dict[str, object]:
    """What is measured with the same generator, after its speed."""
    figures: dict[str, object] = {}
    if "first-frame" in job.parts:
        figures["first_frame"] = first_frames(generator, params, 2 if job.is_smoke else 10)
    if "stages" in job.parts:
        play(generator, params, 3)
        chunks = min(job.chunks, MOST_STAGE_CHUNKS)
        figures["stages_ms"] = stage_times(generator, params, StageClock(device), chunks)
    if "kernels" in job.parts:
        play(generator, params, 3)
        figures["kernels"] = kernel_times(generator, params, device)
    return figures


def _transformer_alone(job: Job, preset: ModelPreset, params: ChunkParams, device: torch.device) -> dict[str, object]:
    """Frames per second without decoding, and its share of what the device can multiply."""
    with without_decoding():
        generator = _load(job, preset)
        play(generator, params, 1)
        warm_up(generator, params, job.most_warm_up_chunks)
        played = play(generator, params, min(job.chunks, MOST_TRANSFORMER_CHUNKS))
    patch_rows, patch_columns = (LATENT_STRIDE * side for side in preset.transformer.patch_size[1:])
    tokens = (generator.height // patch_rows) * (generator.width // patch_columns)
    generator.close()
    del generator
    _free(device)
    acceleration, stream = preset.acceleration, preset.stream
    steps = min(acceleration.steps or 1000, len(stream.warped_steps or stream.steps))
    config, is_clean = preset.transformer, acceleration.clean_pass
    flop = chunk_flop(config, tokens, steps, has_clean_pass=is_clean, chunk_frames=job.chunk_frames)
    rate = flop * len(played.times_ms) / sum(played.times_ms) * 1e3
    ceiling = matmul_flops(device, choose_dtype(job.dtype, device))
    return {
        "transformer": {"fps": round(played.fps, 3), "chunk_ms": played.figures()["chunk_ms"]},
        "arithmetic": {
            "chunk_tflop": round(flop / 1e12, 4),
            "tflop_per_s": round(rate / 1e12, 3),
            "matmul_tflop_per_s": round(ceiling / 1e12, 3),
            "copy_gb_per_s": round(copy_bytes_per_s(device) / 1e9, 1),
            "of_matmul": round(rate / ceiling, 4),
        },
    }


def _switches(
    job: Job, preset: ModelPreset, chunk_frames: int, rate_fps: float, device: torch.device
) -> dict[str, object]:
    played_at = dataclasses.replace(preset, stream=dataclasses.replace(preset.stream, rate_fps=rate_fps))
    generator = _load(job, played_at)
    params = dataclasses.replace(ChunkParams(), chunk_frames=chunk_frames)
    warm_up(generator, params, job.most_warm_up_chunks)
    generator.hard_cut()
    settle_s = 0.2 if job.is_smoke else SETTLE_S
    measured = prompt_switches(generator, chunk_frames, switches=job.switches, seed=job.seed, settle_s=settle_s)
    generator.close()
    del generator
    _free(device)
    return measured


def _free(device: torch.device) -> None:
    """Give back what a generator that is gone has held."""
    gc.collect()
    wait_for(device)
    if device.type == "cuda":
        torch.cuda.empty_cache()
