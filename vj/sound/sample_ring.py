"""Samples on their way from a driver's thread to the analysis: copied in, read out, nothing waits for anything.

One thread writes, one thread reads. All memory is taken when the ring is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

STAMPS = 64
FOLLOW = 0.03  # per block: how fast the reader's clock follows the driver's, which trembles
JUMP_S, JUMP_READS = 0.04, 50  # a driver's clock this far off is believed when it stays so for so many blocks


class Block(NamedTuple):
    """Samples in a row, channels averaged."""

    samples: np.ndarray  # float32
    end_ns: int  # when the last was captured, time.monotonic_ns()
    lost: int  # how many samples went missing before the first


class SampleRing:
    """Room for `seconds` of sound at `rate_hz`, `channels` wide."""

    def __init__(self, rate_hz: float, channels: int, seconds: float = 2.0) -> None:
        """Take the memory."""
        self.rate_hz = rate_hz
        self._samples = np.zeros((round(rate_hz * seconds), channels), np.float32)
        self._stamps = np.zeros((STAMPS, 2), np.int64)  # samples written until then, when the last was captured
        self._writes = 0
        self._written = 0
        self.overflows = 0  # how often the driver says it lost samples; the writer counts
        # takes every block too, with its moment and the rate, on the writer's thread; must not wait or raise
        self.tee: Callable[[np.ndarray, int, float], None] | None = None
        self._read = 0
        self._origin_ns: float | None = None  # when sample 0 was captured, by the rate; the reader's own
        self._far_reads = 0
        self._known_overflows = 0

    def write(self, samples: np.ndarray, end_ns: int) -> None:
        """Copy (n, channels) float32 in; `end_ns` is when the last was captured. The writer's thread; never raises."""
        count, capacity = len(samples), len(self._samples)
        start = self._written % capacity
        until_end = min(count, capacity - start)
        self._samples[start : start + until_end] = samples[:until_end]
        if until_end < count:
            self._samples[: count - until_end] = samples[until_end:]
        stamp = self._stamps[self._writes % STAMPS]
        stamp[0] = self._written + count
        stamp[1] = end_ns
        self._writes += 1
        self._written += count  # last: the reader goes by it
        if self.tee is not None:
            self.tee(samples, end_ns, self.rate_hz)

    def missing(self, count: int) -> int:
        """Return how many samples must come before `count` can be read. The reader's thread."""
        return max(0, count - (self._written - self._read))

    def read(self, count: int) -> Block | None:
        """Return the next `count` samples; None until they are there. The reader's thread.

        A reader that fell more than half the ring behind goes on with the newest samples.
        """
        written, capacity, lost = self._written, len(self._samples), 0
        if written - self._read > capacity // 2:
            lost = written - count - self._read
            self._read += lost
        if written - self._read < count:
            return None
        start = self._read % capacity
        samples = self._samples[start : start + count]
        if len(samples) < count:
            samples = np.concatenate((samples, self._samples[: count - len(samples)]))
        mono = np.add.reduce(samples, axis=1)
        mono *= 1.0 / samples.shape[1]
        self._read += count
        lost += self._follow_driver()
        return Block(mono, round(self._origin_ns + self._read * 1e9 / self.rate_hz), lost)

    def _follow_driver(self) -> int:
        """Correct the clock, which goes by the rate, by what the driver says; return how many samples the driver lost.

        Without an overflow nothing was lost, however its times jump.
        """
        stamped, stamp_ns = self._stamps[(self._writes - 1) % STAMPS].tolist()
        origin_ns = stamp_ns - stamped * 1e9 / self.rate_hz
        if self._origin_ns is None:
            self._origin_ns = origin_ns
        error_ns = origin_ns - self._origin_ns
        has_lost, self._known_overflows = self.overflows != self._known_overflows, self.overflows
        self._far_reads = self._far_reads + 1 if abs(error_ns) > JUMP_S * 1e9 else 0
        if has_lost or self._far_reads > JUMP_READS:
            self._origin_ns = origin_ns
            return max(0, round(error_ns * self.rate_hz / 1e9)) if has_lost else 0
        if not self._far_reads:
            self._origin_ns += FOLLOW * error_ns
        return 0
