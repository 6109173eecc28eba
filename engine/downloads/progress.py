"""How far many bytes have come: a bar with rate and time left on a terminal, a line now and then anywhere else.

Used from one thread, inside `with`. Knows nothing of what the bytes are.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from types import TracebackType
from typing import TextIO

LINE_EVERY_S = 5.0
RATE_OVER_S = 15.0  # of the last seconds, so that it follows the line


class ByteProgress:
    """Shows how many of `total_bytes` are done; `done_bytes` were before it began."""

    def __init__(self, name: str, total_bytes: int, done_bytes: int = 0) -> None:
        self._name = name
        self._total_bytes = total_bytes
        now_s = time.monotonic()
        self._told_s = now_s
        self._past = deque([(now_s, done_bytes)])
        self._bar = _bar(name, total_bytes, done_bytes) if sys.stderr.isatty() else None

    def show(self, done_bytes: int, what: str = "") -> None:
        """Show a new count; `what` is under way now."""
        now_s = time.monotonic()
        self._past.append((now_s, done_bytes))
        while len(self._past) > 2 and now_s - self._past[0][0] > RATE_OVER_S:
            self._past.popleft()
        if self._bar is not None:
            self._bar.set_postfix_str(what, refresh=False)
            self._bar.update(done_bytes - self._bar.n)
        elif now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            self.say(self._line(done_bytes, what))

    def say(self, line: str, stream: TextIO | None = None) -> None:
        """Write a line of its own to `stream` (stderr), above the bar where there is one."""
        if self._bar is not None:
            self._bar.clear()
        stream = stream or sys.stderr
        stream.write(f"{line}\n")
        stream.flush()

    def _line(self, done_bytes: int, what: str) -> str:
        (then_s, then_bytes), (now_s, _) = self._past[0], self._past[-1]
        rate = (done_bytes - then_bytes) / max(now_s - then_s, 1e-6)
        left = duration((self._total_bytes - done_bytes) / rate) + " left" if rate > 0 else "no time can be told"
        size = f"{size_words(done_bytes)} of {size_words(self._total_bytes)}"
        return f"{self._name}: {size}, {rate / 1e6:.1f} MB/s, {left}" + (f" ({what})" if what else "")

    def __enter__(self) -> ByteProgress:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal on a fresh line."""
        if self._bar is not None:
            self._bar.close()


def size_words(size_bytes: float | None) -> str:
    """Bytes in words as shops count them: "5.7 GB"; "?" for None."""
    if size_bytes is None:
        return "?"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.{1 if size_bytes < 100 * scale else 0}f} {unit}"
    return f"{size_bytes:.0f} bytes"


def duration(seconds: float) -> str:
    """Seconds in words: "12 s", "3 min", "1 h 05 min"."""
    if seconds < 90:
        return f"{max(0, seconds):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _bar(name: str, total_bytes: int, done_bytes: int):
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm(
        total=total_bytes, initial=done_bytes, desc=name, unit="B", unit_scale=True, file=sys.stderr, dynamic_ncols=True
    )
