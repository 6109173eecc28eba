"""Holds pictures back by time, to meet sound or another input that arrives late. Knows nothing of where they go."""

from __future__ import annotations

from collections import deque

import numpy as np

MOST_BYTES = 512 * 1024 * 1024
NS_PER_MS = 1_000_000


class DelayLine:
    """Pictures by time stamp, in bounded memory: what does not fit is thinned out evenly, never shortened.

    Used by one thread. Pictures are kept as they are given and never changed.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held: deque[tuple[np.ndarray, int]] = deque()  # picture, arrived_ns; the oldest first
        self._bytes = 0
        self._keep_every = 1  # of those that come, one in so many is kept
        self._came = 0

    @property
    def held_bytes(self) -> int:
        """Memory of what is held."""
        return self._bytes

    def push(self, picture: np.ndarray, arrived_ns: int) -> None:
        """Take in the newest picture and when it came (time.monotonic_ns(), never going back)."""
        self._came += 1
        if self._came % self._keep_every:
            return
        if self._bytes + picture.nbytes > self._most_bytes and len(self._held) > 1:
            self._thin()
        self._held.append((picture, arrived_ns))
        self._bytes += picture.nbytes

    def pop_due(self, now_ns: int, delay_ms: float) -> tuple[np.ndarray, int] | None:
        """Return the newest picture that came at least `delay_ms` ago, with its moment, and let go of all before it.

        None while none is due that was not returned already.
        """
        due: tuple[np.ndarray, int] | None = None
        while self._held and self._held[0][1] + delay_ms * NS_PER_MS <= now_ns:
            due = self._held.popleft()
            self._bytes -= due[0].nbytes
        if self._bytes < self._most_bytes // 4:
            self._keep_every = max(1, self._keep_every // 2)
        return due

    def clear(self) -> None:
        """Forget all: the input is another one."""
        self._held.clear()
        self._bytes = 0
        self._keep_every = 1

    def _thin(self) -> None:
        """Let every other picture go, and take in half as many from now on."""
        self._held = deque(one for k, one in enumerate(self._held) if k % 2 == 0)
        self._bytes = sum(picture.nbytes for picture, _ in self._held)
        self._keep_every *= 2
