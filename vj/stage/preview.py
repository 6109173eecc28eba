"""What is on screen, for the panels' small picture: read from the ring beside the stage, which alone lets go of frames.

Knows nothing of windows or processes.
"""

from __future__ import annotations

import time
from pathlib import Path

from engine.frame_ring import Frame, FrameRing
from vj.output.loop import there_and_back

LOOK_FOR_RING_NS = 200_000_000


class RingPreview:
    """Belongs to one thread; never waits, never writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ring: FrameRing | None = None
        self._mark: tuple[int, int] | None = None
        self._looked_ns = 0
        self._counter = -1
        self._frame: Frame | None = None

    def frame(self) -> Frame | None:
        """Return the oldest frame the stage still holds, which is the one it shows; the last one while there is none.

        A frame is copied once: the same one again is the very same object.
        """
        now_ns = time.monotonic_ns()
        if now_ns - self._looked_ns >= LOOK_FOR_RING_NS:
            self._looked_ns = now_ns
            self._attach_if_new()
        if self._ring is not None and self._ring.read != self._counter:
            counter = self._ring.read
            frame = self._ring.peek(counter)
            if frame is not None:
                self._counter, self._frame = counter, frame
        return self._frame

    def close(self) -> None:
        """Unmap."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def _attach_if_new(self) -> None:
        try:
            found = self._path.stat()
            mark = (found.st_dev, found.st_ino)
            if mark == self._mark:
                return
            ring = FrameRing.attach(self._path)
        except (OSError, ValueError):
            return  # none yet, half there, or gone
        self.close()
        self._ring, self._mark, self._counter = ring, mark, -1


class DeckPreview:
    """What lies ready on the free deck, played to and fro. Belongs to one thread; never waits, never writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ring: FrameRing | None = None
        self._mark: tuple[int, int] | None = None
        self._looked_ns = self._began_ns = 0
        self._counter = -1
        self._frame: Frame | None = None

    def frame(self, now_ns: int) -> Frame | None:
        """Return the frame to show now; None while nothing lies ready. The same one again is the very same object."""
        if now_ns - self._looked_ns >= LOOK_FOR_RING_NS:
            self._looked_ns = now_ns
            self._look(now_ns)
        ring = self._ring
        if ring is None or not ring.written:
            return None
        way = (now_ns - self._began_ns) / 1e9 * ring.rate_fps
        counter = round(there_and_back(way, ring.written - 1)) if ring.written > 1 else 0
        if counter != self._counter and (frame := ring.peek(counter)) is not None:
            self._counter, self._frame = counter, frame
        return self._frame

    def close(self) -> None:
        """Unmap."""
        if self._ring is not None:
            self._ring.close()
        self._ring = self._mark = self._frame = None

    def _look(self, now_ns: int) -> None:
        try:
            found = self._path.stat()
            mark = (found.st_dev, found.st_ino)
            if mark == self._mark:
                return
            ring = FrameRing.attach(self._path)
        except (OSError, ValueError):
            self.close()  # none is armed any more, or it is on air now
            return
        self.close()
        self._ring, self._mark, self._began_ns, self._counter = ring, mark, now_ns, -1
