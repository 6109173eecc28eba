"""The output's pictures one after the other, as the stage writes them into its ring: none twice, those lost counted.

Knows nothing of who they are for.
"""

from __future__ import annotations

import time
from pathlib import Path

from engine.video_in.input_ring import InputFrame, InputRing

LOOK_S = 0.002
CURRENT_S = 0.05  # without a picture: then another ring may stand at the path
MOST_BEHIND = 0.6  # of the ring: whoever is further behind gives up what lies between and goes on with the newest


class Pictures:
    """Follows the ring at a path through every new one. Belongs to one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ring: InputRing | None = None
        self._taken = 0  # serial of the last one
        self.missed = 0  # that were there and could not be had

    @property
    def behind(self) -> int:
        """How many wait."""
        return 0 if self._ring is None else self._ring.written - self._taken

    def next(self, timeout_s: float) -> InputFrame | None:
        """Return the next picture, waiting so long for it; None when none comes."""
        until_s = time.monotonic() + timeout_s
        looked_s = 0.0
        while True:
            frame = self._take()
            now_s = time.monotonic()
            if frame is not None or now_s >= until_s:
                return frame
            if now_s - looked_s > CURRENT_S:
                self._follow()
                looked_s = now_s
            time.sleep(LOOK_S)

    def close(self) -> None:
        """Let go of the ring."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def _take(self) -> InputFrame | None:
        if self._ring is None:
            return None
        written = self._ring.written
        if written <= self._taken:
            return None
        wanted = self._taken + 1
        frame = self._ring.read(wanted) if written - self._taken <= MOST_BEHIND * self._ring.capacity else None
        if frame is None:  # overwritten, or about to be
            wanted = self._ring.written
            frame = self._ring.read(wanted)
        if frame is not None:
            self.missed += wanted - self._taken - 1
            self._taken = wanted
        return frame

    def _follow(self) -> None:
        """Turn to the ring that stands at the path now; begin with the next picture."""
        if self._ring is not None and self._ring.is_current:
            return
        try:
            ring = InputRing.attach(self._path)
        except (OSError, ValueError):
            return
        self.close()
        self._ring = ring
        self._taken = max(0, ring.written - 1)
