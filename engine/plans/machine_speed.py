"""How fast this machine's processor is at what a small model does: which number type to take, and at which size.

Measured once in a quarter of a second, in the processor time of one thread, so that a busy machine measures the same;
kept by processor and torch. Knows nothing of presets or streams.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import logging
import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as nn

from engine.attention.cpu_products import attend_by_products
from engine.attention.kernels import plain

# what a chunk of ember's at 256x144 costs in the two samples below, from its own time with one thread in both types
BLOCKS, ATTENTIONS, CONVOLUTIONS = 30, 30, 51
CHUNK_FRAMES = 12
REPEATS = 3
THREAD_GAIN = 0.6  # of every thread after the first
CLEARLY = 0.95  # of float32's time: bfloat16 must be faster by more than the measurement errs
FILE_NAME = "machine_speed.json"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class MachineSpeed:
    """Processor seconds of one thread for a chunk of ember's at 256x144, twelve frames."""

    float32_s: float
    bfloat16_s: float  # infinite where the processor does not multiply it natively
    has_fast_products: bool = False  # in bfloat16 two products of matrices attend faster than PyTorch's own kernel

    @property
    def number_type(self) -> str:
        """The faster one, by name; float32 when they are about the same."""
        return "bfloat16" if self.bfloat16_s < CLEARLY * self.float32_s else "float32"

    def fps(self, number_type: str, threads: int) -> float:
        """Frames a second of ember at 256x144 with so many threads, as far as this tells; 0 for other types."""
        seconds = {"float32": self.float32_s, "bfloat16": self.bfloat16_s}.get(number_type, math.inf)
        return CHUNK_FRAMES / seconds * (1.0 + THREAD_GAIN * (max(1, threads) - 1))


@functools.lru_cache(maxsize=1)
def machine_speed() -> MachineSpeed:
    """What was measured on this machine before, or is now; kept in the user's cache where there is a place for it."""
    file, name = _kept_file(), _machine_name()
    if file is not None and (kept := _read(file, name)) is not None:
        return kept
    measured = measure()
    _LOG.info(
        "a chunk of ember's takes one thread %.2f s in float32, %.2f s in bfloat16",
        measured.float32_s,
        measured.bfloat16_s,
    )
    if file is not None:
        _keep(file, name, measured)
    return measured


def is_bfloat16_native() -> bool:
    """Whether the processor has instructions for it; where it has none it is up to six times slower."""
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


@torch.inference_mode()
def measure() -> MachineSpeed:
    """Run the samples on this thread alone."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        float32_s = _chunk_s(torch.float32) + ATTENTIONS * _attention_s(torch.float32, plain)
        if not is_bfloat16_native():
            return MachineSpeed(float32_s, math.inf)
        plain_s, products_s = (_attention_s(torch.bfloat16, way) for way in (plain, attend_by_products))
        bfloat16_s = _chunk_s(torch.bfloat16) + ATTENTIONS * min(plain_s, products_s)
        return MachineSpeed(float32_s, bfloat16_s, products_s < CLEARLY * plain_s)
    finally:
        torch.set_num_threads(threads)


def _random(dtype: torch.dtype, *shape: int) -> Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 0.05).to(dtype)


def _attention_s(dtype: torch.dtype, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> float:
    q, k, v = (_random(dtype, 1, tokens, 4, 64) for tokens in (432, 1296, 1296))
    return _least_s(lambda: attend(q, k, v))


def _chunk_s(dtype: torch.dtype) -> float:
    """All but the attention."""
    random = functools.partial(_random, dtype)
    tokens, weights = random(432, 256), [random(*shape) for shape in ((768, 256), (256, 256), (1024, 256), (256, 1024))]
    frames = random(4, 48, 72, 128).contiguous(memory_format=torch.channels_last)
    kernel = random(24, 48, 3, 3).contiguous(memory_format=torch.channels_last)

    def block() -> None:
        projected = nn.linear(nn.layer_norm(tokens, (256,)), weights[0])
        x = tokens + nn.linear(projected[:, :256], weights[1])
        wide = nn.gelu(nn.linear(nn.layer_norm(x, (256,)), weights[2]), approximate="tanh")
        x.add_(nn.linear(wide, weights[3]))

    def convolution() -> None:
        nn.relu_(nn.conv2d(frames, kernel, padding=1))

    return BLOCKS * _least_s(block) + CONVOLUTIONS * _least_s(convolution)


def _least_s(work: Callable[[], None]) -> float:
    work()  # the first time kernels are chosen and memory is found
    least_s = math.inf
    for _ in range(REPEATS):
        began_s = time.thread_time()
        work()
        work()
        least_s = min(least_s, (time.thread_time() - began_s) / 2)
    return max(least_s, 1e-6)


def _kept_file() -> Path | None:
    try:
        import platformdirs
    except ModuleNotFoundError:
        return None
    return platformdirs.user_cache_path("vj", appauthor=False) / FILE_NAME


def _machine_name() -> str:
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{processor} {capability} {'bf16' if is_bfloat16_native() else ''} torch {torch.__version__}"


def _read(file: Path, name: str) -> MachineSpeed | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["machine"] != name:
            return None
        times = float(found["float32_s"]), float(found["bfloat16_s"])
        read = MachineSpeed(*times, found["has_fast_products"] is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return read if read.float32_s > 0.0 and read.bfloat16_s > 0.0 else None


def _keep(file: Path, name: str, speed: MachineSpeed) -> None:
    partial = file.with_suffix(".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({"machine": name, **dataclasses.asdict(speed)}), encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        _LOG.info("%s cannot be written: %s", file, error)
