"""How far the loading of a model is, in a sentence: for the engine's status while nothing is made yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.downloads.progress import size_words

Tell = Callable[[str], None]
TELL_EVERY_S = 0.2


class LoadingProgress:
    """Counts the bytes of a model's files. Used by the thread that loads."""

    def __init__(self, name: str, files: Sequence[Path], tell: Tell | None) -> None:
        """`tell` gets a sentence at the beginning of each part, and five times a second at most within it."""
        self._name = name
        self._files = {file: _bytes_of(file) for file in files}
        self._total = max(1, sum(self._files.values()))
        self._tell = tell
        self._done = 0
        self._part = ""
        self._told_s = 0.0

    def begin(self, part: str) -> None:
        """Go on with "transformer", "decoder", .."""
        self._part = part
        self._say()

    def advance(self, done_bytes: int) -> None:
        """Count bytes that are in place."""
        self._done += done_bytes
        if time.monotonic() - self._told_s >= TELL_EVERY_S:
            self._say()

    def _say(self) -> None:
        self._told_s = time.monotonic()
        if self._tell is not None:
            share = min(1.0, self._done / self._total)
            self._tell(f"loading {self._name}: {self._part}, {share:.0%} of {size_words(self._total)}")


def _bytes_of(file: Path) -> int:
    """Size of a file or of a split folder; 0 of one that is not there."""
    try:
        if file.is_dir():
            return sum(part.stat().st_size for part in file.iterdir())
        return file.stat().st_size
    except OSError:
        return 0
