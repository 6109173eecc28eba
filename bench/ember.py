"""How fast ember plays on this machine: frames per second by size, chunk length, number type and threads.

`python -m bench.ember --json bench/results/ember.json`. Configurations take turns, so that a machine that is busy for a
while slows all of them. By the wall: the median and the fastest. With one thread also by the processor's time: what is
left of it when other programs take nothing. `--compile` adds torch.compile's, which takes a minute at the start.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.environment import describe
from engine.generator import Generator
from engine.generator_loading import load_generator
from engine.model_presets import load_preset
from engine.params import ChunkParams
from engine.plans.machine_speed import is_bfloat16_native, machine_speed

WARM_CHUNKS = 4
SIZES = ((256, 144), (160, 96))
DTYPES = ("float32", "bfloat16")
LIMITS_FPS = {("256x144", "float32"): 20.0, ("256x144", "bfloat16"): 45.0}  # alone on two cores; the second with AMX


@dataclass
class Configuration:
    """One way to play, and what its chunks took."""

    size: tuple[int, int]
    chunk_frames: int  # latent frames
    dtype: str
    threads: int
    is_compiled: bool = False
    generator: Generator | None = None
    frames: int = 0  # of a chunk
    taken_s: list[float] = dataclasses.field(default_factory=list)
    processor_s: list[float] = dataclasses.field(default_factory=list)  # of all threads

    def load(self) -> None:
        """Load the model and make the chunks that are slower than the rest."""
        width, height = self.size
        preset = load_preset("ember")
        if self.is_compiled:
            preset = dataclasses.replace(preset, acceleration=preset.acceleration.changed(("compile=on",)))
        self.generator = load_generator(preset, width=width, height=height, device="cpu", dtype=self.dtype)
        for _ in range(WARM_CHUNKS):
            self.play(is_noted=False)

    def play(self, *, is_noted: bool = True) -> None:
        """Make one chunk, clean pass included."""
        torch.set_num_threads(self.threads)
        began_s, began_processor_s = time.perf_counter(), time.process_time()
        chunk = self.generator.generate_chunk(dataclasses.replace(ChunkParams(), chunk_frames=self.chunk_frames))
        self.generator.remember_chunk()
        self.frames = len(chunk.frames)
        if is_noted:
            self.taken_s.append(time.perf_counter() - began_s)
            self.processor_s.append(time.process_time() - began_processor_s)

    def figures(self) -> dict[str, object]:
        """As a row."""
        median_s, least_s = statistics.median(self.taken_s), min(self.taken_s)
        return {
            "size": f"{self.size[0]}x{self.size[1]}",
            "chunk_frames": self.chunk_frames,
            "dtype": self.dtype,
            "threads": self.threads,
            "compiled": self.is_compiled,
            "chunk_ms": round(median_s * 1e3, 1),
            "fps": round(self.frames / median_s, 1),
            "fps_best": round(self.frames / least_s, 1),
            "fps_by_processor_time": self._fps_by_processor_time(),
        }

    def _fps_by_processor_time(self) -> float | None:
        """Of one thread; several wait for each other, which their processor time does not tell."""
        return round(self.frames / statistics.median(self.processor_s), 1) if self.threads == 1 else None


def configurations(cores: int, *, with_compile: bool) -> list[Configuration]:
    """Everything that is compared."""
    made = [
        Configuration(size, chunk_frames, dtype, threads)
        for size in SIZES
        for chunk_frames in (3, 1)
        for dtype in DTYPES
        for threads in sorted({1, cores})
    ]
    if with_compile:
        made += [Configuration(SIZES[0], 3, dtype, cores, is_compiled=True) for dtype in DTYPES]
    return made


def main() -> int:
    """Measure every configuration, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=12, help="chunks measured per configuration")
    parser.add_argument("--cores", type=int, default=2, help="threads beside one (default: %(default)s)")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    speed = machine_speed()
    playing = configurations(arguments.cores, with_compile=arguments.compile)
    for configuration in playing:
        configuration.load()
    for _ in range(arguments.chunks):
        for configuration in playing:
            configuration.play()
    rows = [configuration.figures() for configuration in playing]
    for row in rows:
        print(row)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        report = {
            "environment": describe(torch.device("cpu")),
            "amx": torch.cpu._is_amx_tile_supported(),
            "avx512_bf16": torch.cpu._is_avx512_bf16_supported(),
            "chosen_at_start": {"dtype": speed.number_type, "bfloat16_is_native": is_bfloat16_native()},
            "machine_speed": {k: v for k, v in dataclasses.asdict(speed).items() if v != float("inf")},
            "machine_load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
            "wanted_fps": {" ".join(key): fps for key, fps in LIMITS_FPS.items()},
            "rows": rows,
        }
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
