"""A file, address, device or lavfi graph as an input offline: one frame for each frame made, by media time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.video_in.given import GivenFrames
from engine.video_in.picture_files import PictureError, at_rate, decoded, fitted


class ClipInput:
    """Gives the frame of the clip that is newest at each frame's media time; at its end it begins again.

    Nothing is opened before the first `take`. A still picture is one frame for ever.
    """

    def __init__(self, source: str, rate_fps: float, size: tuple[int, int]) -> None:
        """`source` as `picture_files.decoded` takes it; the stream's frames per second and (width, height)."""
        self._source = source
        self._rate_fps = rate_fps
        self._size = size
        self._frames = self._play()

    def take(self, frames: int, *, is_start: bool) -> GivenFrames:
        """As `VideoInput.take`. Raises PictureError with a sentence."""
        pixels = np.stack([next(self._frames) for _ in range(frames)])
        return GivenFrames(pixels, (0,) * frames)

    def beside(self) -> ClipInput:
        """The same clip from its beginning."""
        return ClipInput(self._source, self._rate_fps, self._size)

    def _play(self) -> Iterator[np.ndarray]:
        while True:
            pixels, count = None, 0
            for frame, ticks in at_rate(decoded(self._source), self._rate_fps):
                pixels = fitted(frame, *self._size)
                count += ticks
                yield from [pixels] * ticks
            if pixels is None:
                raise PictureError(f"{self._source}: there is no picture in it")
            while count == 1:
                yield pixels


def check_source(source: str) -> None:
    """Look whether there is a picture in a source. Raises PictureError with a sentence."""
    if next(decoded(source), None) is None:
        raise PictureError(f"{source}: there is no picture in it")
