"""The newest frame of an input's file for layers, whatever becomes of the file: missing, torn, cut short, replaced.

Read by calls, not by mapping: a mapped file that is cut short would kill the process. Never waits.
"""

from __future__ import annotations

import os
import stat
from io import FileIO
from pathlib import Path

import numpy as np

from engine.video_in.input_ring import (
    CHANNELS,
    COUNTER,
    HEADER,
    HEADER_SPACE_BYTES,
    MAGIC,
    SLOT,
    SLOT_SPACE_BYTES,
    WRITTEN_OFFSET,
    InputFrame,
)

LOOK_NS = 100_000_000  # between two looks at whether another file stands at the path, once there is one
LARGEST_SIDE = 4096  # pixels; a header that says more is damaged


class LayerFile:
    """One input's file. Belongs to the thread that draws; never raises for anything that is in the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._mark = (0, 0)  # device and inode of the file in use
        self._width = self._height = self._capacity = 0
        self._looked_ns = 0
        self._frame: InputFrame | None = None
        self._is_of_file = False  # whether the frame held came from the file in use: its serial counts there
        self._seen_ns = 0  # when the frame held was fresh

    def frame_at(self, now_ns: int) -> InputFrame | None:
        """Return the newest frame there is at `now_ns` (time.monotonic_ns), the very same object while it is the same.

        One of a file that is gone is held. None before the first.
        """
        if self._file is None or now_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = now_ns
            self._look()
        if self._file is not None:
            self._read_newest(self._file, now_ns)
        return self._frame

    def age_ns(self, now_ns: int) -> int:
        """How long ago the frame held came."""
        return max(0, now_ns - self._seen_ns)

    def close(self) -> None:
        """Let go of the file; the last frame stays."""
        if self._file is not None:
            self._file.close()
        self._file, self._mark = None, (0, 0)

    def _look(self) -> None:
        """Open the file that stands at the path, if it is another one and is whole."""
        try:
            about = self._path.stat()
            if (about.st_dev, about.st_ino) == self._mark or not stat.S_ISREG(about.st_mode):
                return
            opened = FileIO(self._path, "r")
        except OSError:
            return  # none yet, or gone: what was seen last is held
        header = _read(opened, 0, HEADER.size)
        magic, width, height, capacity, _, _ = HEADER.unpack(header) if header else (b"", 0, 0, 0, 0, 0)
        size = HEADER_SPACE_BYTES + capacity * (SLOT_SPACE_BYTES + width * height * CHANNELS)
        is_whole = magic == MAGIC and 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE and capacity > 0
        found = os.fstat(opened.fileno())
        if not is_whole or found.st_size < size:
            opened.close()
            return  # half there, or of another version: looked at again shortly
        self.close()
        self._file, self._mark, self._is_of_file = opened, (found.st_dev, found.st_ino), False
        self._width, self._height, self._capacity = width, height, capacity

    def _read_newest(self, file: FileIO, now_ns: int) -> None:
        counter = _read(file, WRITTEN_OFFSET, COUNTER.size)
        serial = COUNTER.unpack(counter)[0] if counter else 0
        held = self._frame.serial if self._frame is not None and self._is_of_file else 0
        if serial in (0, held):
            return
        slot_bytes = SLOT_SPACE_BYTES + self._width * self._height * CHANNELS
        offset = HEADER_SPACE_BYTES + ((serial - 1) % self._capacity) * slot_bytes
        about = _read(file, offset, SLOT.size)
        if not about or SLOT.unpack(about)[0] != serial:
            return
        pixels = np.empty((self._height, self._width, CHANNELS), np.uint8)
        file.seek(offset + SLOT_SPACE_BYTES)
        is_all = file.readinto(pixels.data.cast("B")) == pixels.nbytes
        after = _read(file, offset, SLOT.size)
        if not is_all or after != about:
            return  # overwritten while it was copied: the next refresh sees a newer one
        arrived_ns = SLOT.unpack(about)[1]
        # the first of a file may be old; those that come are fresh, however long their input delays them
        self._seen_ns = now_ns if self._is_of_file else min(now_ns, max(arrived_ns, self._seen_ns))
        self._frame, self._is_of_file = InputFrame(pixels, arrived_ns, serial), True


def _read(file: FileIO, offset: int, size: int) -> bytes:
    """Read exactly so many bytes; empty when they are not there."""
    file.seek(offset)
    data = file.read(size)
    return data if data is not None and len(data) == size else b""
