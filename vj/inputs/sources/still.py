"""A still image. When its file is written anew (a mask that was drawn on), the new one is shown."""

from __future__ import annotations

import time
from pathlib import Path

import av

from vj.inputs.params import InputParams
from vj.inputs.sources.container import Decoder, Opening
from vj.inputs.sources.source import Picture, SourceError, SourceFacts

LOOK_S = 0.25  # how often the file is looked at


class StillSource:
    """One image file."""

    keeps = True
    is_held = True
    position_s = 0.0

    def __init__(self, path: Path) -> None:
        """Read it. Raises SourceError."""
        self._path = path
        self._written = _written(path)
        self._frame: av.VideoFrame | None = _read(path)
        self.facts = SourceFacts(path.name, self._frame.width, self._frame.height)

    def read(self, settings: InputParams) -> Picture | None:
        """Give the image once, and again when it was written anew."""
        if self._frame is None:
            time.sleep(LOOK_S)
            written = _written(self._path)
            if written == self._written:
                return None
            self._frame = _read(self._path)  # one that is half written is an error, and looked at again
            self._written = written
        frame, self._frame = self._frame, None
        return Picture(frame, time.monotonic_ns())

    def close(self) -> None:
        """Nothing is open."""


def _written(path: Path) -> tuple[int, int, int]:
    try:
        about = path.stat()
    except OSError as error:
        raise SourceError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return about.st_ino, about.st_mtime_ns, about.st_size


def _read(path: Path) -> av.VideoFrame:
    decoder = Decoder(Opening(str(path)), path.name)
    try:
        while (frames := decoder.next_frames()) is not None:
            if frames:
                return frames[0]
    finally:
        decoder.close()
    raise SourceError(f"{path.name} is no image that can be read")
