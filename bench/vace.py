"""What guiding a chunk by VACE costs: multiplications of the published geometry and of ember's, and ember's time here.

Of the transformer alone: four denoising steps, of which some are guided, and the clean pass, which never is. Encoding
the control video is not in it. `python -m bench.vace --json bench/results/vace.json`
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.environment import describe
from engine.caches.rolling_cache import RollingCache
from engine.model.config import EMBER, LATENT_STRIDE, WAN_1_3B_VACE, ModelConfig
from engine.model.transformer import CausalWanTransformer, initialise
from engine.model.vace import Guide, streaming_attention
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule

EMBER_VACE = dataclasses.replace(EMBER, vace_layers=(0, 2, 4))
CASES = {
    "wan 1.3b, 832x480": (WAN_1_3B_VACE, (832, 480)),
    "ember, 256x144": (EMBER_VACE, (256, 144)),
}
GUIDED_STEPS = (0, 1, 2, 4)
REFERENCES = (0, 1, 2)
FULL_WINDOW_CHUNKS = 3


class Stream:
    """A stream of random weights whose window is full; every chunk guided as asked."""

    def __init__(self, config: ModelConfig, size: tuple[int, int], device: torch.device) -> None:
        with torch.device(device):
            self._model = CausalWanTransformer(config).eval().requires_grad_(False)
        if device.type != "meta":
            initialise(self._model, torch.Generator().manual_seed(0))
        self._size = size[1] // LATENT_STRIDE, size[0] // LATENT_STRIDE
        self._device = device
        self._cache = RollingCache(config, *self._size, device=device)
        self._schedule = Schedule(config.timestep_shift)
        self._timesteps = self._schedule.warp(PUBLISHED_STEPS)
        self._noises = [self._random(config.chunk_frames, config.in_dim) for _ in self._timesteps]
        prompt = torch.randn(1, config.text_len, config.text_dim, device=device)
        self._text = self._model.encode_text(prompt)
        for _ in range(FULL_WINDOW_CHUNKS):
            self.chunk(0, 0)

    @torch.inference_mode()
    def chunk(self, guided_steps: int, references: int) -> None:
        """Make a chunk; the first `guided_steps` of its four steps are guided."""
        guide = self.guide(references)
        frames = self._model.config.chunk_frames
        self._cache.begin_chunk(frames)
        first, *rest = self._noises
        *_, last = denoise_chunk(
            self._model,
            self._cache,
            self._text,
            first,
            rest,
            self._timesteps,
            self._schedule,
            StepChanges(guide=lambda step: guide if step < guided_steps else None),
        )
        clean_pass(self._model, self._cache, self._text, last.x0)

    def guide(self, references: int) -> Guide:
        """A context of random numbers."""
        config = self._model.config
        frames = references + config.chunk_frames
        memory = streaming_attention(config, frames, self._size, self._device)
        return Guide(self._random(frames, config.vace_in_dim), memory, 1.0, references)

    def _random(self, frames: int, channels: int) -> torch.Tensor:
        return torch.randn(1, frames, channels, *self._size, device=self._device)


def count(config: ModelConfig, size: tuple[int, int]) -> list[dict[str, float]]:
    """Multiplications of a chunk in 10^9, and their ratio to one that is not guided; nothing is computed."""
    stream = Stream(config, size, torch.device("meta"))
    rows: list[dict[str, float]] = []
    for references in REFERENCES:
        for steps in GUIDED_STEPS if not references else GUIDED_STEPS[1:]:
            with FlopCounterMode(display=False) as counter:
                stream.chunk(steps, references)
            giga = counter.get_total_flops() / 2e9  # a multiplication and an addition each
            ratio = giga / rows[0]["giga_multiplications"] if rows else 1.0
            rows.append(
                {
                    "guided_steps": steps,
                    "references": references,
                    "giga_multiplications": round(giga, 3),
                    "ratio": round(ratio, 3),
                }
            )
    return rows


def time_ember(chunks: int) -> list[dict[str, float]]:
    """Milliseconds of processor time of a chunk on one thread; the cases take turns, so all meet the same machine."""
    torch.set_num_threads(1)
    stream = Stream(*CASES["ember, 256x144"], torch.device("cpu"))
    times: dict[int, list[float]] = {steps: [] for steps in GUIDED_STEPS}
    for _ in range(chunks):
        for steps, taken in times.items():
            began = time.process_time()
            stream.chunk(steps, 0)
            taken.append((time.process_time() - began) * 1e3)
    free = statistics.median(times[0])
    return [
        {"guided_steps": steps, "p50_ms": round(middle, 1), "ratio": round(middle / free, 3)}
        for steps, taken in times.items()
        for middle in [statistics.median(taken)]
    ]


def main() -> None:
    """Print and optionally write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    report = {
        **describe(torch.device("cpu")),
        "counted": {name: count(*case) for name, case in CASES.items()},
        "ember, 256x144, one thread": time_ember(arguments.chunks),
    }
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
