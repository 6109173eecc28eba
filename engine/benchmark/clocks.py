"""Time on a device: by events on its streams where it has them, by the host's clock on a CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

MATMUL_SIDES = {"cuda": 8192, "cpu": 1024}
COPY_BYTES = {"cuda": 4 << 30, "cpu": 64 << 20}
CEILING_RUNS = 10


@dataclass
class StageClock:
    """Spans by name, begun and ended by the one thread that queues the work. Reading them waits for the device."""

    device: torch.device
    _events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = field(default_factory=list)
    _spans_ms: list[tuple[str, float]] = field(default_factory=list)
    _is_inside: bool = False  # a span that is under way

    def time(self, name: str, work: Callable[[], object]) -> object:
        """Do work as a span of this name; returns what it returns. A span within a span does not count.

        On a GPU nothing waits.
        """
        if self._is_inside:
            return work()
        self._is_inside = True
        try:
            return self._time_by_events(name, work) if self.device.type == "cuda" else self._time_by_host(name, work)
        finally:
            self._is_inside = False

    def _time_by_events(self, name: str, work: Callable[[], object]) -> object:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        made = work()
        end.record()
        self._events.append((name, begin, end))
        return made

    def _time_by_host(self, name: str, work: Callable[[], object]) -> object:
        began_s = time.perf_counter()
        made = work()
        self._spans_ms.append((name, (time.perf_counter() - began_s) * 1e3))
        return made

    def take(self) -> list[tuple[str, float]]:
        """Every span since the last call, in milliseconds, in the order they ended."""
        spans, self._spans_ms = self._spans_ms, []
        events, self._events = self._events, []
        if events:
            torch.cuda.synchronize()
        return spans + [(name, begin.elapsed_time(end)) for name, begin, end in events]


def wait_for(device: torch.device) -> None:
    """Wait until a device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median_ms(device: torch.device, work: Callable[[], object], runs: int = CEILING_RUNS, warm_up: int = 3) -> float:
    """Median milliseconds of one run of the work, each timed by itself, after a warm-up."""
    for _ in range(warm_up):
        work()
    wait_for(device)
    clock = StageClock(device)
    for _ in range(runs):
        clock.time("", work)
    times = sorted(taken for _, taken in clock.take())
    return times[len(times) // 2]


def matmul_flops(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a large square product of random numbers: the ceiling figures are held against."""
    side = MATMUL_SIDES[device.type]
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    return 2 * side**3 / median_ms(device, lambda: torch.mm(a, b, out=out)) * 1e3


def copy_bytes_per_s(device: torch.device) -> float:
    """Bytes read and written per second by a large copy on the device."""
    source = torch.empty(COPY_BYTES[device.type] // 4, device=device).normal_()
    target = torch.empty_like(source)
    return 2 * COPY_BYTES[device.type] / median_ms(device, lambda: target.copy_(source)) * 1e3
