"""What comes by itself, as fast as it comes: devices, addresses, screens. The newest picture wins.

Knows nothing of files.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from vj.inputs.params import InputParams
from vj.inputs.sources.container import Decoder, Opening
from vj.inputs.sources.source import Picture, SourceError, SourceFacts

LOW_LATENCY = {"fflags": "nobuffer"}  # nothing is held back to be looked at first


class LiveSource:
    """One device, address or screen."""

    keeps = False
    is_held = False
    position_s = 0.0

    def __init__(self, opening: Opening, name: str, explain: Callable[[], str] = lambda: "") -> None:
        """Open it. `explain` may say more than FFmpeg does when that fails. Raises SourceError."""
        try:
            self._decoder = Decoder(opening, name, is_low_latency=True)
        except SourceError as error:
            more = explain()
            raise SourceError(f"{error}; {more}" if more else str(error)) from None
        stream = self._decoder.stream
        self.facts = SourceFacts(name, stream.width, stream.height, self._decoder.rate_fps)

    def read(self, settings: InputParams) -> Picture | None:
        """Wait for the next picture, as long as the source takes: a hang is ended from outside."""
        frames = self._decoder.next_frames()
        if frames is None:
            raise SourceError(f"{self.facts.name} has ended")
        return Picture(frames[-1], time.monotonic_ns(), self._decoder.pixel_aspect) if frames else None

    def close(self) -> None:
        """Let go of it."""
        self._decoder.close()
