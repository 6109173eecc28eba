"""First light on a GPU: does bfloat16 agree with the golden file, and how fast is the 1.3B geometry?

`python -m bench.gpu.first_light --json bench/results/first_light.json`; `--smoke` runs a tiny geometry on any machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from bench.environment import ROOT, describe
from engine.benchmark.random_models import SMOKE_MODEL, SMOKE_TINY, randomise
from engine.caches.rolling_cache import RollingCache
from engine.golden import stream_output
from engine.model.config import WAN_1_3B, ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.vae.latents import LATENT_STRIDE
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig

GOLDEN = ROOT / "tests" / "data" / "golden" / "tiny_causal_dit.safetensors"
WARM_CHUNKS = 4  # shapes change at chunks 1, 2 and 3
PARITY_GATE = 0.02  # relative; the reference's own bfloat16 lies 0.0066 from its float32


class Clock:
    """Milliseconds of device time by events, of wall time where there is no GPU."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"

    def time(self, work: Callable[[], None]) -> float:
        """Run once and return milliseconds, everything the work started included."""
        if not self._cuda:
            start = time.perf_counter()
            work()
            return (time.perf_counter() - start) * 1e3
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end)


def spread(times_ms: list[float]) -> dict[str, float]:
    """Median, 90th percentile and maximum of measured times."""
    ordered = sorted(times_ms)
    return {
        "p50_ms": round(statistics.median(ordered), 3),
        "p90_ms": round(ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))], 3),
        "max_ms": round(ordered[-1], 3),
    }


def parity(device: torch.device) -> dict[str, float | bool]:
    """Relative distance of this device's outputs from the golden float32 output."""
    figures: dict[str, float | bool] = {}
    for dtype in (torch.float32, torch.bfloat16):
        made, expected = stream_output(GOLDEN, device, dtype)
        error = (made.cpu().double() - expected.double()).norm() / expected.double().norm()
        figures[str(dtype).removeprefix("torch.")] = error.item()
    figures["passed"] = figures["float32"] < 1e-4 and figures["bfloat16"] < PARITY_GATE
    return figures


class Stream:
    """The transformer's side of a stream, without prompts, noise-making or pixels."""

    def __init__(self, config: ModelConfig, size: tuple[int, int], device: torch.device, dtype: torch.dtype) -> None:
        with torch.device(device):
            self.model = CausalWanTransformer(config).to(dtype).eval().requires_grad_(False)
        randomise(self.model, seed=0)
        width, height = size[0] // LATENT_STRIDE, size[1] // LATENT_STRIDE
        self.cache = RollingCache(config, height, width, device=device, dtype=dtype)
        self.schedule = Schedule(config.timestep_shift)
        self.timesteps = self.schedule.warp(PUBLISHED_STEPS)
        shape = (1, config.chunk_frames, config.in_dim, height, width)
        self.noises = [torch.randn(shape, device=device).to(dtype) for _ in self.timesteps]
        prompt = torch.randn(1, config.text_len, config.text_dim, device=device).to(dtype)
        self.text = self.model.encode_text(prompt)
        self.x0: Tensor = self.noises[0]

    def denoise(self) -> None:
        """All steps of the next chunk."""
        self.cache.begin_chunk(self.model.config.chunk_frames)
        first, *rest = self.noises
        *_, last = denoise_chunk(self.model, self.cache, self.text, first, rest, self.timesteps, self.schedule)
        self.x0 = last.x0

    def remember(self) -> None:
        """The clean pass."""
        clean_pass(self.model, self.cache, self.text, self.x0)

    def forward(self) -> None:
        """One forward of the chunk that stands."""
        steps = torch.full((1, self.model.config.chunk_frames), 625.0, device=self.x0.device)
        self.model(self.noises[0], steps, self.text, self.cache)


def measure_decoder(decoder: torch.nn.Module, latents: Tensor, clock: Clock, chunks: int) -> dict[str, float]:
    """Time per chunk of a streaming decoder, the start of the stream apart."""
    randomise(decoder, seed=1)
    _, state = decoder.decode(latents, None)
    decoder.decode(latents, state)
    return spread([clock.time(lambda: decoder.decode(latents, state)) for _ in range(chunks)])


@torch.inference_mode()
def measure(arguments: argparse.Namespace) -> dict[str, object]:
    """Everything this script reports, as plain data."""
    smoke = arguments.smoke
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    config = SMOKE_MODEL if smoke else WAN_1_3B
    size = (64, 32) if smoke else tuple(int(side) for side in arguments.size.split("x"))
    chunks = 3 if smoke else arguments.chunks
    result: dict[str, object] = {"environment": describe(device), "smoke": smoke, "size": list(size), "chunks": chunks}
    result["parity"] = parity(device)
    stream, clock = Stream(config, size, device, dtype), Clock(device)
    for _ in range(WARM_CHUNKS):
        stream.denoise()
        stream.remember()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    result["forward"] = spread([clock.time(stream.forward) for _ in range(chunks)])
    steps, cleans = [], []
    for _ in range(chunks):
        steps.append(clock.time(stream.denoise))
        cleans.append(clock.time(stream.remember))
    result["denoise"], result["clean_pass"] = spread(steps), spread(cleans)
    with torch.device(device):
        wan = WanVae(WanVaeConfig(dim=8) if smoke else WanVaeConfig()).to(dtype).eval().requires_grad_(False)
        tiny = TinyVae(SMOKE_TINY if smoke else TinyVaeConfig()).to(dtype).eval().requires_grad_(False)
    result["decode"] = {
        "wan_vae": measure_decoder(wan, stream.x0, clock, chunks),
        "taehv": measure_decoder(tiny, stream.x0, clock, chunks),
    }
    dit_ms = statistics.median(a + b for a, b in zip(steps, cleans, strict=True))
    frames = 4 * config.chunk_frames
    result["fps"] = {
        "transformer_only": round(frames / dit_ms * 1e3, 2),
        **{
            name: round(frames / (dit_ms + times["p50_ms"]) * 1e3, 2)
            for name, times in result["decode"].items()  # type: ignore[attr-defined]
        },
    }
    result["is_finite"] = bool(torch.isfinite(stream.x0).all())
    if device.type == "cuda":
        result["peak_memory_bytes"] = torch.cuda.max_memory_allocated()
    return result


def main() -> int:
    """Measure, print, write; exit code 1 when bfloat16 does not agree or values are not finite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="832x480", help="picture size, WIDTHxHEIGHT, divisible by 16")
    parser.add_argument("--chunks", type=int, default=30, help="chunks measured after warming up")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--smoke", action="store_true", help="a tiny geometry: checks the script, measures nothing")
    arguments = parser.parse_args()
    if not arguments.smoke and not torch.cuda.is_available():
        parser.error("no CUDA device: run on a GPU machine, or give --smoke to check the script")
    result = measure(arguments)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text + "\n")
    return 0 if result["parity"]["passed"] and result["is_finite"] else 1  # type: ignore[index]


if __name__ == "__main__":
    raise SystemExit(main())
