"""From the card's buffers into the ring of pictures, on a thread of its own: no refresh waits for a copy or a file.

Knows nothing of GL.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.video_in.input_ring import InputRing

KEPT_S = 0.5  # of refreshes
REFRESH_HZ = 60.0
ROOM_BYTES = 256 << 20
FEWEST = 4
AGAIN_S = 2.0  # before a ring that could not be made is tried again
END_S = 1.0


@dataclass
class Copying:
    """One picture on its way; the buffer behind `pixels` must stay until `is_done`."""

    pixels: np.ndarray  # (H, W, 4) uint8, top row first
    drawn_ns: int  # moment of the refresh it was drawn for (time.monotonic_ns)
    is_done: bool = False


class TapWriter:
    """Writes what it is given in order. Made, fed and closed by one thread."""

    def __init__(self, path: Path) -> None:
        """Begin; the ring is made at `path` when the first picture says how large it is."""
        self.problem = ""  # why pictures do not come: a sentence
        self._path = path
        self._ring: InputRing | None = None
        self._again_s = 0.0
        self._waiting: queue.SimpleQueue[Copying | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tap", daemon=True)
        self._thread.start()

    def put(self, copying: Copying) -> None:
        """Take one picture. Never waits."""
        self._waiting.put(copying)

    def close(self) -> None:
        """Write what is left, end the thread and take the ring away."""
        self._waiting.put(None)
        self._thread.join(END_S)
        if self._ring is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _run(self) -> None:
        while (copying := self._waiting.get()) is not None:
            height, width, _ = copying.pixels.shape
            if self._ring is None or (self._ring.width, self._ring.height) != (width, height):
                self._make_ring(width, height)
            if self._ring is not None:
                self._ring.write(copying.pixels, copying.drawn_ns)
            copying.is_done = True

    def _make_ring(self, width: int, height: int) -> None:
        if time.monotonic() < self._again_s:
            return
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        try:
            self._ring = InputRing.create(self._path, width=width, height=height, capacity=ring_capacity(width, height))
            self.problem = ""
        except OSError as error:
            self._again_s = time.monotonic() + AGAIN_S
            self.problem = f"there is no room for the output's pictures in {self._path.parent}: {error.strerror}"


def ring_capacity(width: int, height: int) -> int:
    """Pictures of this size (pixels) that are kept: half a second of them, fewer where they are large."""
    fitting = ROOM_BYTES // (width * height * 4 + 64)
    return max(FEWEST, min(round(KEPT_S * REFRESH_HZ), fitting))
