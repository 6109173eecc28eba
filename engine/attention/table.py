"""Which attention kernel is fastest for a shape on this machine: measured once, kept in the user's cache folder.

Whoever loads a model asks for its shapes to be measured; while a stream plays nothing is measured and nothing waits.
"""

from __future__ import annotations

import json
import logging
import math
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.attention.kernels import PLAIN, Capability, Kernel, kernels_for, package_versions, usual

RUNS = 5  # of each kernel, after one that warms it up
PATIENCE_S = 0.8  # for all shapes together; what is not reached is measured at the next start
COMPILE_PATIENCE_S = 30.0  # with less, kernels that compile at their first call are left out
LARGEST_ERROR = 0.02  # relative, against PyTorch's own: a kernel further off is broken and not used
KERNEL_ERRORS = (RuntimeError, ValueError, TypeError, AssertionError, NotImplementedError, ImportError, OSError)
_LOG = logging.getLogger(__name__)
Timer = Callable[[Callable[[], object]], float]  # milliseconds of one run


@dataclass(frozen=True)
class Shape:
    """What decides over speed: batch, queries, keys, heads, head width, number type."""

    batch: int
    queries: int
    keys: int
    heads: int
    head_dim: int
    dtype: torch.dtype

    @staticmethod
    def of(q: Tensor, k: Tensor) -> Shape:
        """That of a call."""
        return Shape(q.shape[0], q.shape[1], k.shape[1], q.shape[2], q.shape[3], q.dtype)

    @property
    def words(self) -> str:
        """As it is written in the kept table."""
        dtype = str(self.dtype).removeprefix("torch.")
        return f"{self.batch}x{self.queries}x{self.keys}x{self.heads}x{self.head_dim} {dtype}"


class AttentionTable:
    """The choice for every shape that was measured. Filled by one thread, before a stream plays; read by any."""

    def __init__(self, file: Path | None = None) -> None:
        """`file` keeps it from one start to the next; None = not kept."""
        self.file = file
        self._kernels: dict[tuple[Capability, torch.dtype, int], dict[str, Kernel]] = {}
        self._capabilities: dict[torch.device, Capability] = {}
        self._chosen: dict[tuple[torch.device, Shape], Kernel] = {}

    def kernel(self, q: Tensor, k: Tensor) -> Kernel:
        """The kernel for q (B, L, N, D), k (B, S, N, D); the usual one of the capability where nothing was measured."""
        key = (q.device, Shape.of(q, k))
        if key not in self._chosen:
            self._chosen[key] = self._nearest(*key)
        return self._chosen[key]

    def measure(
        self, shapes: Iterable[Shape], device: torch.device, timer: Timer | None = None, patience_s: float = PATIENCE_S
    ) -> dict[str, dict[str, float]]:
        """Fill the table for these shapes, from the file or by measuring; milliseconds by shape and kernel.

        On a CPU there is nothing to choose. Never raises for a kernel that fails or a file that is damaged.
        """
        if device.type != "cuda" and timer is None:
            return {}
        timer = timer or _device_ms
        identity = machine_identity(device)
        kept = read_table(self.file).get(identity, {}) if self.file is not None else {}
        deadline, is_new, found = time.monotonic() + patience_s, False, {}
        for shape in shapes:
            times = kept.get(shape.words)
            if times is None:
                times = self._time(shape, device, timer, deadline)
                if times:
                    kept[shape.words], is_new = times, True
            if times:
                found[shape.words] = times
                self._choose(device, shape, times)
        if is_new and self.file is not None:
            write_table(self.file, identity, kept)
        return found

    def known(self, device: torch.device, dtype: torch.dtype, head_dim: int) -> dict[str, Kernel]:
        """The kernels that can run on a device, by name."""
        if device not in self._capabilities:
            self._capabilities[device] = Capability.of(device)
        key = (self._capabilities[device], dtype, head_dim)
        if key not in self._kernels:
            self._kernels[key] = {kernel.name: kernel for kernel in kernels_for(*key)}
        return self._kernels[key]

    def _choose(self, device: torch.device, shape: Shape, times: dict[str, float]) -> None:
        kernels = self.known(device, shape.dtype, shape.head_dim)
        usable = {name: ms for name, ms in times.items() if name in kernels and math.isfinite(ms)}
        if usable:
            self._chosen[device, shape] = kernels[min(usable, key=lambda name: usable[name])]

    def _nearest(self, device: torch.device, shape: Shape) -> Kernel:
        """That of the measured shape which differs in the number of keys alone, and least; else the usual one."""
        rows = (shape.batch, shape.queries, shape.heads, shape.head_dim, shape.dtype)
        alike = [
            (abs(other.keys - shape.keys), kernel)
            for (place, other), kernel in self._chosen.items()
            if place == device and (other.batch, other.queries, other.heads, other.head_dim, other.dtype) == rows
        ]
        if alike:
            return min(alike, key=lambda pair: pair[0])[1]
        kernels = self.known(device, shape.dtype, shape.head_dim)
        return kernels.get(usual(self._capabilities[device], shape.dtype), PLAIN)

    def _time(self, shape: Shape, device: torch.device, timer: Timer, deadline: float) -> dict[str, float]:
        """Milliseconds by kernel; none where the deadline comes before all are timed."""
        compiles = deadline - time.monotonic() > COMPILE_PATIENCE_S
        q, k, v = random_heads(shape, device)
        expected, times = PLAIN.attend(q, k, v).float(), {}
        for name, kernel in self.known(device, shape.dtype, shape.head_dim).items():
            if time.monotonic() > deadline:
                return {}
            if kernel.compiles and not compiles:
                continue
            try:
                error = ((kernel.attend(q, k, v).float() - expected).norm() / expected.norm()).item()
                runs = [timer(lambda kernel=kernel: kernel.attend(q, k, v)) for _ in range(RUNS)]
            except KERNEL_ERRORS as failure:
                _LOG.info("attention by %s fails for %s: %s", name, shape.words, failure)
                continue
            if error < LARGEST_ERROR:
                times[name] = statistics.median(runs)
            else:
                _LOG.warning("attention by %s is not used: it is %.3g off for %s", name, error, shape.words)
        return times


def random_heads(shape: Shape, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of a shape, random: a GPU is faster on zeros."""
    generator = torch.Generator(device).manual_seed(0)
    lengths = (shape.queries, shape.keys, shape.keys)
    return tuple(
        torch.randn(shape.batch, length, shape.heads, shape.head_dim, generator=generator, device=device).to(
            shape.dtype
        )
        for length in lengths
    )


def machine_identity(device: torch.device) -> str:
    """What makes measured times another machine's: device, driver's libraries, versions of packages."""
    words = [torch.__version__, str(torch.version.cuda), str(torch.backends.cudnn.version())]
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        words.insert(0, f"{properties.name} {properties.multi_processor_count}")
    words += [f"{name} {version}" for name, version in package_versions().items()]
    return " | ".join(words)


def read_table(file: Path) -> dict[str, dict[str, dict[str, float]]]:
    """The kept times by machine, shape and kernel; nothing of a file that is missing or damaged."""
    try:
        read = json.loads(file.read_text("utf-8"))
        return {
            str(machine): {
                str(shape): {str(name): float(ms) for name, ms in times.items()} for shape, times in shapes.items()
            }
            for machine, shapes in read.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_table(file: Path, machine: str, shapes: dict[str, dict[str, float]]) -> None:
    """Keep a machine's times beside those of others; a folder that cannot be written is no fault."""
    table = read_table(file) | {machine: shapes}
    beside = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
        beside.replace(file)
    except OSError as error:
        _LOG.info("attention times are not kept: %s", error)


def table_file() -> Path | None:
    """Where the table is kept on this machine; None where platformdirs cannot tell it."""
    try:
        import platformdirs
    except ModuleNotFoundError:
        return None
    return platformdirs.user_cache_path("vj", appauthor=False) / "attention.json"


def _device_ms(work: Callable[[], object]) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end)


TABLE = AttentionTable()
