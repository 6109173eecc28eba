"""The newest frames of one input in a mapped file: one process writes, any number read, nobody waits for anybody.

Numpy and the standard library only. Knows nothing of cameras or models.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.mapped_file import is_at, make_mapped_file

MAGIC = b"VJINPUT1"
HEADER = struct.Struct("<8sIIIIQ")  # magic, width, height, capacity, writer's process id, frames written
WRITTEN_OFFSET = HEADER.size - 8
SLOT = struct.Struct("<Qq")  # serial (frames before it + 1), arrived_ns; serial 0 = being written
COUNTER = struct.Struct("<Q")
SLOT_SPACE_BYTES = 64
HEADER_SPACE_BYTES = 4096
CHANNELS = 4  # RGBA; A is the input's key, 255 where nothing is keyed out


def ring_name(number: int, use: str = "engine") -> str:
    """Name of input `number`'s file (1..INPUTS) in the folder of the run; `use` is "engine" or "layer"."""
    return f"input{number}.{use}"


@dataclass(frozen=True)
class InputFrame:
    """One frame of an input. `pixels` is a copy the reader owns."""

    pixels: np.ndarray  # (H, W, 4) uint8, RGB sRGB top row first, A = key
    arrived_ns: int  # time.monotonic_ns() when it came
    serial: int  # from 1


class InputRing:
    """Frames by arrival; the oldest are overwritten. Made anew, at the same path, when size or input change."""

    def __init__(self, path: Path, memory: mmap.mmap, file_id: int) -> None:
        magic, self.width, self.height, self.capacity, self.writer_id, _ = HEADER.unpack_from(memory, 0)
        self._slot_bytes = SLOT_SPACE_BYTES + self.width * self.height * CHANNELS
        is_whole = 0 < self.capacity * self._slot_bytes <= len(memory) - HEADER_SPACE_BYTES
        if magic != MAGIC or not is_whole:
            raise ValueError(f"{path} is not an input ring of this version")
        self.path = path
        self._memory = memory
        self._file_id = file_id

    @classmethod
    def create(cls, path: Path, *, width: int, height: int, capacity: int) -> InputRing:
        """Make the file in place of one of the same name. Raises OSError when the place is full or not writable."""
        size = HEADER_SPACE_BYTES + capacity * (SLOT_SPACE_BYTES + width * height * CHANNELS)
        make_mapped_file(path, size, HEADER.pack(MAGIC, width, height, capacity, os.getpid(), 0))
        return cls.attach(path)

    @classmethod
    def attach(cls, path: Path) -> InputRing:
        """Open an existing ring. Raises FileNotFoundError while there is none, ValueError for something else."""
        with path.open("r+b") as file:
            about = os.fstat(file.fileno())
            if about.st_size < HEADER_SPACE_BYTES:
                raise ValueError(f"{path} is not an input ring of this version")
            return cls(path, mmap.mmap(file.fileno(), 0), about.st_ino)

    @property
    def written(self) -> int:
        """Frames written since the ring was made."""
        return COUNTER.unpack_from(self._memory, WRITTEN_OFFSET)[0]

    @property
    def is_current(self) -> bool:
        """Whether this file still stands at its path: a writer that began anew has put another there."""
        return is_at(self.path, self._file_id)

    def write(self, pixels: np.ndarray, arrived_ns: int) -> None:
        """Append one frame (H, W, 4) uint8. Never waits. Raises ValueError for another shape."""
        if pixels.shape != (self.height, self.width, CHANNELS):
            raise ValueError(f"the ring holds {self.width}x{self.height} RGBA frames, got shape {pixels.shape}")
        written = self.written
        offset = self._offset(written)
        COUNTER.pack_into(self._memory, offset, 0)
        start = offset + SLOT_SPACE_BYTES
        # numpy's copy lets the other threads of the process run meanwhile
        np.copyto(np.frombuffer(self._memory, np.uint8, pixels.nbytes, start).reshape(pixels.shape), pixels)
        SLOT.pack_into(self._memory, offset, written + 1, arrived_ns)
        COUNTER.pack_into(self._memory, WRITTEN_OFFSET, written + 1)

    def arrived_ns(self, serial: int) -> int | None:
        """When frame `serial` (1..) came, without copying pixels; None if it is not there (yet, or any more)."""
        if serial < 1:
            return None
        found, arrived_ns = SLOT.unpack_from(self._memory, self._offset(serial - 1))
        return arrived_ns if found == serial else None

    def read(self, serial: int) -> InputFrame | None:
        """Copy out frame `serial` (1..); None if it is not there (yet, or any more)."""
        arrived_ns = self.arrived_ns(serial)
        if arrived_ns is None:
            return None
        offset = self._offset(serial - 1)
        start, size = offset + SLOT_SPACE_BYTES, self.width * self.height * CHANNELS
        pixels = np.frombuffer(self._memory[start : start + size], np.uint8).reshape(self.height, self.width, CHANNELS)
        if COUNTER.unpack_from(self._memory, offset)[0] != serial:
            return None  # overwritten while it was copied
        return InputFrame(pixels, arrived_ns, serial)

    def newest(self) -> InputFrame | None:
        """Copy out the frame that came last; None before the first."""
        return self.read(self.written)

    def serial_at(self, at_ns: int) -> int:
        """Serial of the newest frame that had come by `at_ns`, the oldest one kept if all are younger; 0 = none."""
        newest = self.written
        oldest = max(1, newest - self.capacity + 2)  # the slot after it may be under way
        for serial in range(newest, oldest - 1, -1):
            arrived_ns = self.arrived_ns(serial)
            if arrived_ns is not None and arrived_ns <= at_ns:
                return serial
        return oldest if newest else 0

    def close(self) -> None:
        """Unmap. The file stays until its owner deletes it."""
        self._memory.close()

    def _offset(self, index: int) -> int:
        return HEADER_SPACE_BYTES + (index % self.capacity) * self._slot_bytes
