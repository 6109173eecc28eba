"""How fast ember plays on this machine: chunk time and frames per second, by size, chunk length and number type.

`python -m bench.ember --json bench/results/ember.json`
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from pathlib import Path

import torch

from bench.environment import describe
from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import ChunkParams

WARM_CHUNKS = 4


def measure(size: tuple[int, int], chunk_frames: int, dtype: str, threads: int, chunks: int) -> dict[str, object]:
    """Median chunk time and frames per second of one configuration."""
    width, height = size
    torch.set_num_threads(threads)
    generator = load_generator(load_preset("ember"), width=width, height=height, device="cpu", dtype=dtype)
    params = dataclasses.replace(ChunkParams(), chunk_frames=chunk_frames)
    times, frames = [], 0
    for index in range(WARM_CHUNKS + chunks):
        start = time.perf_counter()
        chunk = generator.generate_chunk(params)
        generator.remember_chunk()
        if index >= WARM_CHUNKS:
            times.append(time.perf_counter() - start)
            frames = len(chunk.frames)
    generator.close()
    median = statistics.median(times)
    return {
        "size": f"{width}x{height}",
        "chunk_frames": chunk_frames,
        "dtype": dtype,
        "threads": threads,
        "chunk_ms": round(median * 1e3, 1),
        "fps": round(frames / median, 1),
    }


def main() -> int:
    """Measure every configuration, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=12, help="chunks measured per configuration")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    rows = []
    for size in ((256, 144), (160, 96)):
        for chunk_frames in (3, 1):
            for dtype in ("float32", "bfloat16"):
                rows.append(measure(size, chunk_frames, dtype, 2, arguments.chunks))
                print(rows[-1])
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"environment": describe(torch.device("cpu")), "rows": rows}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
