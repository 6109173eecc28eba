"""What a test pattern does wrong when its name asks for it, so that faults can be met before a show.

Knows nothing of rings or processes but that `die` ends this one.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator

from engine.chunk import Chunk
from engine.pattern_name import HEAVY, PatternFault

SLOWER = 10.0  # times as long as the frames play
DIED_CODE = 70  # exit code of a process that was told to die
SMALL_PIXELS = 10_000  # a picture of so many pixels finds room in a memory that is full
HANG_STEP_S = 1.0


class PatternFaults:
    """Strikes by chunk number. Belongs to the thread that makes the chunks."""

    def __init__(self, faults: tuple[PatternFault, ...]) -> None:
        self._faults = faults
        self._chunk = 0  # 1 = the first one

    def before(self, pixels: int) -> None:
        """Begin the next chunk, of pictures with so many pixels. Raises what a model raises; may never return."""
        self._chunk += 1
        for kind in self._now():
            if kind == "nan":
                raise ArithmeticError("the model made values that are not numbers; the chunk is not shown")
            if kind == "oom" and pixels > SMALL_PIXELS:
                raise MemoryError("out of memory, as the test pattern was told")
            if kind == HEAVY:
                raise MemoryError("the full decoder is out of memory, as the test pattern was told")
            if kind == "die":
                os._exit(DIED_CODE)
            while kind == "hang":
                time.sleep(HANG_STEP_S)

    def after(self, chunk: Chunk) -> Chunk:
        """Return the chunk as the faults leave it, perhaps late."""
        frames = chunk.frames
        for kind in self._now():
            if kind == "black":
                frames[..., :3] = 0
            elif kind == "frozen":
                frames[1:] = frames[0]
            elif kind == "wrongsize":
                frames = frames[:, : frames.shape[1] // 2, : frames.shape[2] // 2]
            elif kind == "slow":
                time.sleep(SLOWER * len(frames) / chunk.rate_fps)
        return dataclasses.replace(chunk, frames=frames, made_ns=time.monotonic_ns())

    def _now(self) -> Iterator[str]:
        return (fault.kind for fault in self._faults if fault.strikes(self._chunk))
