"""Frames of inputs as a chunk takes them: as many as it makes, the same ones for everything that asks.

Numpy only. Knows nothing of where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

HELD_S = 1.0  # the last frame of an input that has gone stands so long
FADED_S = 2.0  # and is faded out in so long
NS = 1e-9


def strength_after(age_ns: int) -> float:
    """How much of an input is left when its last frame came `age_ns` ago: 1 = all, 0 = nothing. Layers and engine."""
    return min(1.0, max(0.0, 1.0 - (age_ns * NS - HELD_S) / FADED_S))


@dataclass(frozen=True)
class GivenFrames:
    """Frames of one input for one chunk, evenly spread over the chunk's time, the newest last."""

    pixels: np.ndarray  # (T, H, W, 4) uint8, RGB sRGB, A = key; H and W are the stream's
    arrived_ns: tuple[int, ...]  # when each came, T values; 0 = unknown (a file)
    strength: float = 1.0  # 1 = fresh or held; falls to 0 as an input that has gone is faded out


class VideoInput(Protocol):
    """One input, read by the engine's thread only."""

    def take(self, frames: int, *, is_start: bool) -> GivenFrames | None:
        """Frames for the next chunk of so many; None when there is nothing (never was, or faded out).

        Never waits. `is_start` says that the chunk is the first of a stream.
        """
        ...

    def beside(self) -> VideoInput:
        """The same input for a second stream, which takes its frames at other times."""
        ...


class ChunkInputs:
    """What the inputs give to one chunk. Each is asked once, however many parts of the engine look at it."""

    def __init__(self, inputs: Mapping[int, VideoInput], frames: int, *, is_start: bool) -> None:
        """`inputs` by number (1..); `frames` the chunk will have."""
        self._inputs = inputs
        self.frames = frames
        self.is_start = is_start
        self._taken: dict[int, GivenFrames | None] = {}

    def of(self, number: int) -> GivenFrames | None:
        """Frames of input `number`; None when it has none, for 0, and for an unknown number."""
        if number not in self._taken:
            source = self._inputs.get(number)
            self._taken[number] = source.take(self.frames, is_start=self.is_start) if source is not None else None
        return self._taken[number]

    @property
    def has_any(self) -> bool:
        """Whether any input has given frames to the chunk."""
        return any(given is not None for given in self._taken.values())

    @property
    def arrived_ns(self) -> tuple[int, ...]:
        """When each frame came of the input that has the newest; empty = none is live, or what was is held."""
        live = [given for given in self._taken.values() if given and given.arrived_ns[-1] and given.strength == 1.0]
        return max(live, key=lambda given: given.arrived_ns[-1]).arrived_ns if live else ()

    @property
    def newest_ns(self) -> int:
        """When the newest frame that was taken came; 0 = none was, or none of a live input."""
        return max((given.arrived_ns[-1] for given in self._taken.values() if given is not None), default=0)
