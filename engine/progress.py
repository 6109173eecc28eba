"""How far a long command has come: a bar on a terminal, a line now and then anywhere else.

Knows nothing of what is being made.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType

LINE_EVERY_S = 5.0


class Progress:
    """Counts frames of one file, or steps of one run, on stderr. Used inside `with`."""

    def __init__(self, name: str, total_frames: int | None, unit: str = "frame", done: int = 0) -> None:
        """`total_frames` is None for what has no end; `done` were done before and do not count for the rate."""
        self._name = name
        self._unit = unit
        self._total = total_frames
        self._done = self._before = done
        self._began_s = self._told_s = time.monotonic()
        self._bar = _bar(name, total_frames, unit, done) if sys.stderr.isatty() else None

    def advance(self, frames: int, note: str = "") -> None:
        """Count `frames` more; `note` stands behind the count."""
        self._done += frames
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(frames)
            return
        now_s = time.monotonic()
        if now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            rate_hz = (self._done - self._before) / (now_s - self._began_s)
            sys.stderr.write(f"{self._name}: {self._so_far(rate_hz)}{f'; {note}' if note else ''}\n")
            sys.stderr.flush()

    def _so_far(self, rate_hz: float) -> str:
        rate = f"{rate_hz:.1f} {self._unit}s/s" if rate_hz >= 0.1 else f"{1.0 / rate_hz:.0f} s/{self._unit}"
        if self._total is None:
            return f"{self._done} {self._unit}s, {rate}; Ctrl-C ends it"
        left_s = max(0, self._total - self._done) / rate_hz
        return f"{self._done} of {self._total} {self._unit}s, {rate}, {left_s:.0f} s left"

    def __enter__(self) -> Progress:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal on a fresh line."""
        if self._bar is not None:
            self._bar.close()


def _bar(name: str, total_frames: int | None, unit: str, done: int):
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None  # a machine with the engine alone: lines do
    return tqdm(total=total_frames, desc=name, unit=unit, initial=done, file=sys.stderr, dynamic_ncols=True)
