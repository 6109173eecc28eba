"""How far a long command has come: a bar on a terminal, a line now and then anywhere else.

Knows nothing of what is being made.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType

LINE_EVERY_S = 5.0


class Progress:
    """Counts frames of one file on stderr. Used inside `with`."""

    def __init__(self, name: str, total_frames: int | None) -> None:
        """`total_frames` is None for what has no end."""
        self._name = name
        self._total = total_frames
        self._done = 0
        self._began_s = self._told_s = time.monotonic()
        self._bar = _bar(name, total_frames) if sys.stderr.isatty() else None

    def advance(self, frames: int) -> None:
        """Count `frames` more."""
        self._done += frames
        if self._bar is not None:
            self._bar.update(frames)
            return
        now_s = time.monotonic()
        if now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            rate_fps = self._done / (now_s - self._began_s)
            sys.stderr.write(f"{self._name}: {self._so_far(rate_fps)}\n")
            sys.stderr.flush()

    def _so_far(self, rate_fps: float) -> str:
        if self._total is None:
            return f"{self._done} frames, {rate_fps:.1f} frames/s; Ctrl-C ends it"
        left_s = max(0, self._total - self._done) / rate_fps
        return f"{self._done} of {self._total} frames, {rate_fps:.1f} frames/s, {left_s:.0f} s left"

    def __enter__(self) -> Progress:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal on a fresh line."""
        if self._bar is not None:
            self._bar.close()


def _bar(name: str, total_frames: int | None):
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None  # a machine with the engine alone: lines do
    return tqdm(total=total_frames, desc=name, unit="frame", file=sys.stderr, dynamic_ncols=True)
