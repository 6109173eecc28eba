"""2,000 chunks of a tiny generator with changing prompts, seeds, sinks, chunk sizes and cuts: memory stays flat."""

from __future__ import annotations

import dataclasses
import resource
import time
from pathlib import Path

import torch

from engine.generator import Generator
from engine.model.config import ModelConfig
from engine.params import SINK_MODES, ChunkParams
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from tests.engine.tiny import tiny_transformer

CHUNKS = 2000
GROWTH_MIB = 24.0  # allocator noise; one chunk's frames kept by mistake would be 36 MiB over a run
CONFIG = ModelConfig(dim=48, ffn_dim=64, num_heads=4, num_layers=2, freq_dim=16, text_dim=8, text_len=4)


class SeededRows:
    """A text encoder that turns a text into random rows."""

    def encode(self, text: str) -> torch.Tensor:
        """Return (text_len, text_dim)."""
        rows = torch.Generator().manual_seed(sum(text.encode()))
        return torch.randn(CONFIG.text_len, CONFIG.text_dim, generator=rows)


def resident_mib() -> float:
    """Memory this process holds now (Linux), in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def played(chunk: int) -> ChunkParams:
    """What the performer does at a chunk: fade, another seed, another chunk size, another sink."""
    return dataclasses.replace(
        ChunkParams().with_prompts(("ink", "fire"), (1.0 - chunk % 10 / 10, chunk % 10 / 10)),
        seed=chunk // 100,
        seed_morph=chunk % 7 / 7,
        chunk_frames=3 if chunk // 50 % 2 == 0 else 1,
        window_frames=9 if chunk // 70 % 2 == 0 else 6,
        denoising_steps=1 + chunk // 30 % 4,
        sink_mode=SINK_MODES[chunk // 250 % len(SINK_MODES)],
    )


def run(chunks: int = CHUNKS) -> dict[str, float]:
    """Play and return the figures; raises AssertionError when memory grows or a frame count is wrong."""
    torch.manual_seed(0)
    decoder = TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))).eval()
    timesteps = Schedule(5.0).warp(PUBLISHED_STEPS)
    parts = (tiny_transformer(CONFIG), decoder, SeededRows())
    generator = Generator(*parts, name="tiny", size=(48, 32), rate_fps=16.0, timesteps=timesteps)
    settled, settled_mib, frames = chunks // 5, 0.0, 0
    started = time.monotonic()
    try:
        for chunk in range(chunks):
            if chunk % 400 == 399:
                generator.hard_cut()
            elif chunk % 130 == 129:
                generator.soft_cut()
            made = generator.generate_chunk(played(chunk))
            generator.remember_chunk()
            frames += len(made.frames)
            if chunk == settled:
                settled_mib = resident_mib()
    finally:
        generator.close()
    growth_mib = resident_mib() - settled_mib
    assert growth_mib < GROWTH_MIB, f"{growth_mib:.1f} MiB more after {chunks} chunks than after {settled}"
    return {
        "chunks": chunks,
        "frames": frames,
        "ms_per_chunk": round(1000 * (time.monotonic() - started) / chunks, 2),
        "memory_growth_mib": round(growth_mib, 2),
    }
