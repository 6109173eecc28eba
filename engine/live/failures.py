"""Chunks that fail: what is said of it, when the next one is tried, and when memory is given up.

Belongs to the chunk loop's thread.
"""

from __future__ import annotations

import logging
import time

from engine.memory import free_caches, is_out_of_memory

FULL_AGAIN_S = 60.0  # memory that is full twice in this time does not suffice
RETRY_WAIT_S = 1.0  # between tries of a model that keeps failing: the performer must be able to turn a knob
_LOG = logging.getLogger(__name__)


class OutOfMemoryError(Exception):
    """Memory does not suffice for this source; the text is a sentence for the performer."""


class ChunkFailures:
    """Counts them. `size` is (width, height), for the sentences."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._in_a_row = 0
        self._retry_ns = 0
        self._memory_full_ns = 0  # when it last was

    @property
    def may_try(self) -> bool:
        """Whether the next chunk may be begun by now."""
        return time.monotonic_ns() >= self._retry_ns

    def forget(self) -> None:
        """A chunk was made."""
        self._in_a_row = 0

    def note(self, error: Exception) -> str:
        """Take a failure in, and slow down when there are several; return the sentence for the performer.

        Raises OutOfMemoryError when caches were freed lately and that did not suffice.
        """
        self._in_a_row += 1
        if is_out_of_memory(error):
            sentence = self._make_room(error)
        elif isinstance(error, ArithmeticError):
            sentence = f"{error}; a new stream is started"
        else:
            _LOG.error("a chunk failed", exc_info=error)
            sentence = f"a chunk failed ({_first_line(error)}); a new stream is started"
        if self._in_a_row > 1:
            sentence += f", try {self._in_a_row}"
            self._retry_ns = time.monotonic_ns() + int(RETRY_WAIT_S * 1e9)
        return sentence

    def _make_room(self, error: Exception) -> str:
        now_ns = time.monotonic_ns()
        if self._memory_full_ns and now_ns - self._memory_full_ns < FULL_AGAIN_S * 1e9:
            _LOG.error("a chunk failed", exc_info=error)
            width, height = self._size
            raise OutOfMemoryError(f"out of memory at {width}x{height}") from error
        self._memory_full_ns = now_ns
        free_caches()
        return "out of memory: caches are freed and a new stream is started"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
