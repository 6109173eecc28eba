"""One stream of 10,000 chunks: the next chunk costs what it cost at the tenth, in time and in memory.

A tiny model on the CPU. The old stream and one at its tenth chunk take turns, so that what else the machine does falls
on both; the processor's time is compared, not the clock's.
"""

from __future__ import annotations

import dataclasses
import statistics
import time

import torch

from engine.generator import Generator
from engine.params import ChunkParams
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from tests.engine.tiny import tiny_transformer
from tests.long.generator_soak import CONFIG, SeededRows, resident_mib

CHUNKS = 10_000
YOUNG = 10  # chunks the other stream is old
SETTLED = 100  # by then the allocator has found its size
TURNS = 300
MOST_RATIO = 1.05
GROWTH_MIB = 4.0  # allocator noise; what 10,000 chunks kept by mistake would be: 5 MiB for a hundredth of their frames
PARAMS = dataclasses.replace(ChunkParams().with_prompts(("ink",)), seed=7, sink_mode="ema_fp32", sink_decay=0.99)


def make_generator() -> Generator:
    """The tiny model, the same every time."""
    torch.manual_seed(0)
    decoder = TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))).eval()
    timesteps = Schedule(5.0).warp(PUBLISHED_STEPS)
    parts = (tiny_transformer(CONFIG), decoder, SeededRows())
    return Generator(*parts, name="tiny", size=(48, 32), rate_fps=16.0, timesteps=timesteps)


def cost_s(generator: Generator) -> float:
    """Processor time of one chunk, its clean pass included."""
    began = time.thread_time()
    made = generator.generate_chunk(PARAMS)
    generator.remember_chunk()
    spent = time.thread_time() - began
    assert made.frames[..., :3].std() > 0
    return spent


def figures(chunks: int, turns: int) -> dict[str, float]:
    """Play, then let the old stream and a young one take turns; what each costs."""
    torch.set_num_threads(1)
    old, young = make_generator(), make_generator()
    started = time.monotonic()
    try:
        for generator in (old, young):
            for _ in range(YOUNG):
                cost_s(generator)
        settled_mib = 0.0
        for chunk in range(YOUNG, chunks):
            if chunk == SETTLED:
                settled_mib = resident_mib()
            cost_s(old)
        growth_mib = resident_mib() - settled_mib
        costs = [(cost_s(old), cost_s(young)) for _ in range(turns)]
    finally:
        old.close()
        young.close()
    old_s, young_s = (statistics.median(times) for times in zip(*costs, strict=True))
    return {
        "chunks": chunks,
        "ms_at_chunk_10": round(1e3 * young_s, 3),
        f"ms_at_chunk_{chunks}": round(1e3 * old_s, 3),
        "cost_ratio": round(old_s / young_s, 4),
        "memory_growth_mib": round(growth_mib, 2),
        "duration_s": round(time.monotonic() - started, 1),
    }


def run(chunks: int = CHUNKS, turns: int = TURNS) -> dict[str, float]:
    """Raises AssertionError when age costs anything."""
    found = figures(chunks, turns)
    growth_mib, ratio = found["memory_growth_mib"], found["cost_ratio"]
    assert growth_mib < GROWTH_MIB, f"{growth_mib:.1f} MiB more at chunk {chunks} than at chunk {SETTLED}"
    assert ratio < MOST_RATIO, f"a chunk costs {ratio:.3f} times as much at chunk {chunks}"
    return found
