"""What every source of pictures is to whoever reads it. Knows no particular one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import av

from vj.inputs.params import InputParams


class SourceError(Exception):
    """A source cannot be opened, or is gone; the sentence says which and why. It is looked for again."""


@dataclass(frozen=True)
class Picture:
    """One picture as it came. The frame belongs to whoever has it."""

    frame: av.VideoFrame  # in the source's own size, pixel format and colours, which it is tagged with
    arrived_ns: int  # time.monotonic_ns()
    pixel_aspect: float = 1.0  # width of a pixel over its height: not 1 for HDV, DV and discs


@dataclass(frozen=True)
class SourceFacts:
    """What is open."""

    name: str
    width: int = 0  # pixels; 0 = not known before the first picture
    height: int = 0
    rate_fps: float = 0.0  # as it says of itself; 0 = it does not
    length_s: float = 0.0  # of a file; 0 = it has no end


class Source(Protocol):
    """One open source. Opened, read and closed by one thread."""

    facts: SourceFacts
    keeps: bool  # its last picture holds while none comes: a file, a still; not a camera
    is_held: bool  # it stands still: paused, or at its end
    position_s: float  # of a file

    def read(self, settings: InputParams) -> Picture | None:
        """Wait a little for the next picture; None when there is none yet and all is well.

        Raises SourceError when it has gone.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
