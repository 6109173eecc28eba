"""A test source: a filter graph that draws by itself (`lavfi:testsrc2=size=640x360:rate=30`), at its own rate."""

from __future__ import annotations

import time

from vj.inputs.params import InputParams
from vj.inputs.sources.container import Decoder, Opening
from vj.inputs.sources.pacing import MediaClock
from vj.inputs.sources.source import Picture, SourceError, SourceFacts


class GraphSource:
    """One graph. It draws as fast as it is read: what paces it is its frames' own time."""

    keeps = False
    is_held = False
    position_s = 0.0

    def __init__(self, graph: str) -> None:
        """Open it. Raises SourceError."""
        name = f"lavfi:{graph}"
        self._decoder = Decoder(Opening(graph, "lavfi"), name)
        stream = self._decoder.stream
        self.facts = SourceFacts(name, stream.width, stream.height, self._decoder.rate_fps)
        self._clock = MediaClock()
        self._clock.set(0.0, time.monotonic_ns())
        self._next: Picture | None = None

    def read(self, settings: InputParams) -> Picture | None:
        """Wait for the next picture's moment."""
        if self._next is None:
            frames = self._decoder.next_frames()
            if frames is None:
                raise SourceError(f"{self.facts.name} has ended")
            if not frames:
                return None
            self._next = Picture(frames[-1], 0)
        frame = self._next.frame
        if not self._clock.wait_for(frame.time or 0.0):
            return None
        self._next = None
        return Picture(frame, time.monotonic_ns())

    def close(self) -> None:
        """Let go of it."""
        self._decoder.close()
