"""A chunk on its way into the ring, part by part: when each came, and where the chunk begins.

Belongs to the chunk loop's thread.
"""

from __future__ import annotations

import dataclasses
import time

from engine.chunk import Chunk
from engine.chunk_pace import playable_s
from engine.frame_ring import FrameRing


class ShownParts:
    """One chunk's parts."""

    def __init__(self, ring: FrameRing, playing_stream_id: int, present_ns: int) -> None:
        """`present_ns` is when a stream that is not the playing one is to be seen; 0 = once it is there."""
        self._ring = ring
        self._playing_stream_id = playing_stream_id
        self._present_ns = present_ns
        self._came: list[tuple[float, int]] = []  # seconds after the beginning, frames
        self.began_ns = time.monotonic_ns()
        self.start = ring.written  # counter of its first frame

    def show(self, part: Chunk) -> None:
        """Write a part into the ring."""
        if part.stream_id != self._playing_stream_id:
            part = dataclasses.replace(part, present_ns=self._present_ns)
        self._ring.write(part)
        self._came.append(((time.monotonic_ns() - self.began_ns) / 1e9, len(part.frames)))

    @property
    def frames(self) -> int:
        """Shown so far."""
        return sum(frames for _, frames in self._came)

    @property
    def answer_s(self) -> float:
        """From the beginning until the chunk could be played without waiting for a later part."""
        return playable_s(self._came, self._ring.rate_fps)
