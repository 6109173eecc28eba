"""Samples on their way from a driver's thread to the analysis: copied in, read out, nothing waits for anything.

One thread writes, one thread reads. All memory is taken when the ring is made.
"""

from __future__ import annotations

import numpy as np

STAMPS = 64
FOLLOW = 0.03  # per block: how fast the reader's clock follows the driver's, which trembles
JUMP_S = 0.04  # a driver's clock this far off is believed at once


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
        self._read = 0
        self._origin_ns: float | None = None  # when sample 0 was captured, by the rate; the reader's own

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

    def missing(self, count: int) -> int:
        """Return how many samples must come before `count` can be read. The reader's thread."""
        return max(0, count - (self._written - self._read))

    def read(self, count: int) -> tuple[np.ndarray, int] | None:
        """Return the next `count` samples, channels averaged, and when the last was captured; None until then.

        The reader's thread. A reader that fell more than half the ring behind goes on with the newest samples.
        """
        written, capacity = self._written, len(self._samples)
        if written - self._read > capacity // 2:
            self._read = written - count
        if written - self._read < count:
            return None
        start = self._read % capacity
        samples = self._samples[start : start + count]
        if len(samples) < count:
            samples = np.concatenate((samples, self._samples[: count - len(samples)]))
        mono = np.add.reduce(samples, axis=1)
        mono *= 1.0 / samples.shape[1]
        self._read += count
        return mono, self._captured_ns(self._read)

    def _captured_ns(self, index: int) -> int:
        """Say when a sample was captured: by the rate, gently corrected by what the driver says."""
        stamped, stamp_ns = self._stamps[(self._writes - 1) % STAMPS].tolist()
        ns_per_sample = 1e9 / self.rate_hz
        origin_ns = stamp_ns - stamped * ns_per_sample
        if self._origin_ns is None or abs(origin_ns - self._origin_ns) > JUMP_S * 1e9:
            self._origin_ns = origin_ns
        else:
            self._origin_ns += FOLLOW * (origin_ns - self._origin_ns)
        return round(self._origin_ns + index * ns_per_sample)
