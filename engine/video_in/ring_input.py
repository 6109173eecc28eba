"""A live input: the frames of its ring that lie in the time a chunk stands for, held and then faded when it is lost.

Imports no torch unless a picture must be resized. Knows nothing of cameras or models.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.video_in.given import GivenFrames, strength_after
from engine.video_in.input_ring import InputFrame, InputRing, ring_name
from engine.video_in.params import INPUTS

SHORTEST_SPAN, LONGEST_SPAN = 0.5, 2.0  # of a chunk's own time: what has passed since the last one is evened out


class RingInput:
    """Takes from the file that a capture process writes, whenever one is there. Belongs to the engine's thread.

    A chunk of T frames takes T moments evenly between the last one taken and now, and of each the newest frame that
    had come. Nothing about the file is an error: what was seen last is held and then faded (`strength_after`).
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        rate_fps: float,
        size: tuple[int, int],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Nothing is opened yet. `folder` is the run's, `number` the input's; rate and (width, height) the stream's."""
        self._folder, self._number = folder, number
        self._rate_fps = rate_fps
        self._size = size
        self._clock = clock
        self._ring: InputRing | None = None
        self._taken_ns: int | None = None  # the last moment that was taken
        self._last: InputFrame | None = None  # the newest frame of the last chunk

    def take(self, frames: int, *, is_start: bool) -> GivenFrames | None:
        """As `VideoInput.take`."""
        self._attach()
        moments = self._next_moments(frames)
        seen: dict[int, InputFrame] = {}
        given = [self._frame_at(moment, seen) for moment in moments]
        if any(frame is None for frame in given):
            return None  # nothing has ever come
        self._last = given[-1]
        strength = strength_after(moments[-1] - self._last.arrived_ns)
        if strength == 0.0:
            return None
        pixels = np.stack([resized(frame.pixels, self._size) for frame in given])
        return GivenFrames(pixels, tuple(frame.arrived_ns for frame in given), strength)

    def beside(self) -> RingInput:
        """The same input for a second stream."""
        return RingInput(self._folder, self._number, self._rate_fps, self._size, self._clock)

    def _attach(self) -> None:
        """Open the file that stands there now; one that is gone or no ring leaves things as they are."""
        if self._ring is not None and self._ring.is_current:
            return
        try:
            ring = InputRing.attach(self._folder / ring_name(self._number))
        except (OSError, ValueError):
            return
        if self._ring is not None:
            self._ring.close()
        self._ring = ring

    def _next_moments(self, frames: int) -> list[int]:
        now_ns, own_ns = self._clock(), frames / self._rate_fps * 1e9
        passed_ns = now_ns - self._taken_ns if self._taken_ns is not None else 0
        span_ns = passed_ns if SHORTEST_SPAN <= passed_ns / own_ns <= LONGEST_SPAN else own_ns
        self._taken_ns = now_ns
        return [now_ns - round(span_ns * (frames - 1 - k) / frames) for k in range(frames)]

    def _frame_at(self, moment_ns: int, seen: dict[int, InputFrame]) -> InputFrame | None:
        """The newest frame that had come by then; where the ring has none, the one that was seen last."""
        serial = self._ring.serial_at(moment_ns) if self._ring is not None else 0
        if serial not in seen:
            # overwritten while it was looked for: the newest is nearest
            frame = (self._ring.read(serial) or self._ring.newest()) if serial else None
            frame = frame or self._last
            if frame is None:
                return None
            seen[serial] = frame
        return seen[serial]


def ring_inputs(folder: Path, rate_fps: float, size: tuple[int, int]) -> dict[int, RingInput]:
    """All inputs of a run, by number, for a stream of this rate and (width, height)."""
    return {number: RingInput(folder, number, rate_fps, size) for number in range(1, INPUTS + 1)}


def resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One frame (H, W, 4) uint8 at (width, height); as it is where that is its size."""
    width, height = size
    if pixels.shape[:2] == (height, width):
        return pixels
    import torch
    from torch.nn import functional

    planes = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
    planes = functional.interpolate(planes, (height, width), mode="bilinear", antialias=True, align_corners=False)
    return planes[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy()
