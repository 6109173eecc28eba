"""What is heard, in a mapped file: one process writes, any number read, nobody waits. For recordings.

Numpy and the standard library only. Knows nothing of devices.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.mapped_file import is_at, make_mapped_file

SAMPLES_NAME = "sound.samples"  # in the folder of the run
MAGIC = b"VJSOUND1"
HEADER = struct.Struct("<8sdIIQ")  # magic, samples per second, channels, capacity in samples, blocks written
BLOCKS_OFFSET = HEADER.size - 8
COUNTER = struct.Struct("<Q")
STAMP = struct.Struct("<QQq")  # number of the block from 1, samples written with it, when the last was captured
STAMPS = 64
STAMPS_OFFSET = 256
HEADER_SPACE_BYTES = 4096
KEPT_S = 10.0
SAMPLE_BYTES = 4  # float32


@dataclass(frozen=True)
class Stamp:
    """How far the sound has come."""

    written: int  # samples since the file was made
    end_ns: int  # when the last of them was captured (time.monotonic_ns)


class SharedSamples:
    """Interleaved float32 samples; the oldest are overwritten. Made anew, at the same path, for another device."""

    def __init__(self, path: Path, memory: mmap.mmap, file_id: int) -> None:
        magic, self.rate_hz, self.channels, self.capacity, _ = HEADER.unpack_from(memory, 0)
        if magic != MAGIC or len(memory) < HEADER_SPACE_BYTES + self.capacity * self.channels * SAMPLE_BYTES:
            raise ValueError(f"{path} holds no sound of this version")
        self.path = path
        self._file_id = file_id
        self._memory = memory
        self._samples = np.frombuffer(memory, np.float32, self.capacity * self.channels, HEADER_SPACE_BYTES).reshape(
            self.capacity, self.channels
        )
        self._written = 0  # the writer's own

    @classmethod
    def create(cls, path: Path, rate_hz: float, channels: int) -> SharedSamples:
        """Make the file in place of one of the same name. Raises OSError."""
        capacity = round(rate_hz * KEPT_S)
        size = HEADER_SPACE_BYTES + capacity * channels * SAMPLE_BYTES
        make_mapped_file(path, size, HEADER.pack(MAGIC, rate_hz, channels, capacity, 0))
        return cls.attach(path)

    @classmethod
    def attach(cls, path: Path) -> SharedSamples:
        """Open an existing one. Raises FileNotFoundError while there is none, ValueError for something else."""
        with path.open("r+b") as file:
            about = os.fstat(file.fileno())
            if about.st_size < HEADER_SPACE_BYTES:
                raise ValueError(f"{path} holds no sound of this version")
            return cls(path, mmap.mmap(file.fileno(), 0), about.st_ino)

    @property
    def is_current(self) -> bool:
        """Whether this file still stands at its path."""
        return is_at(self.path, self._file_id)

    def write(self, samples: np.ndarray, end_ns: int) -> None:
        """Append (n, channels) float32; `end_ns` is when the last was captured. One thread; never waits."""
        samples = samples[-self.capacity :]
        start = self._written % self.capacity
        until_end = min(len(samples), self.capacity - start)
        self._samples[start : start + until_end] = samples[:until_end]
        self._samples[: len(samples) - until_end] = samples[until_end:]
        self._written += len(samples)
        block = COUNTER.unpack_from(self._memory, BLOCKS_OFFSET)[0] + 1
        STAMP.pack_into(self._memory, _stamp_offset(block), block, self._written, end_ns)
        COUNTER.pack_into(self._memory, BLOCKS_OFFSET, block)

    def newest(self) -> Stamp | None:
        """How far it has come; None before the first block."""
        block = COUNTER.unpack_from(self._memory, BLOCKS_OFFSET)[0]
        found, written, end_ns = STAMP.unpack_from(self._memory, _stamp_offset(block))
        return Stamp(written, end_ns) if block and found == block else None

    def read(self, start: int, end: int) -> np.ndarray:
        """Copy out samples `start` to `end` since the file was made, (n, channels); they must be held still."""
        first, last = start % self.capacity, end % self.capacity
        if first < last or start == end:
            return self._samples[first:last].copy()
        return np.concatenate((self._samples[first:], self._samples[:last]))


class SoundTap:
    """What the sound input hears, for whoever records it; costs nothing while nobody wants it.

    `hear` belongs to the thread of the sound pipe; `is_wanted` may be set by any.
    """

    def __init__(self, path: Path | None) -> None:
        """`path` is where the samples are shared; None = nowhere."""
        self.is_wanted = False
        self.problem = ""  # why nothing is shared: a sentence
        self._path = path
        self._shared: SharedSamples | None = None

    def hear(self, samples: np.ndarray, end_ns: int, rate_hz: float) -> None:
        """Take (n, channels) float32, of which the last was captured at `end_ns`. Never raises."""
        if not self.is_wanted or self._path is None:
            if self._shared is not None:
                self._shared = None
                with contextlib.suppress(OSError):
                    self._path.unlink()
            return
        shared = self._shared
        if shared is None or (shared.rate_hz, shared.channels) != (rate_hz, samples.shape[1]):
            try:
                shared = self._shared = SharedSamples.create(self._path, rate_hz, samples.shape[1])
                self.problem = ""
            except OSError as error:
                self._shared = None
                self.problem = f"the sound cannot be recorded: {self._path.parent} has no room ({error.strerror})"
                return
        shared.write(samples, end_ns)


def _stamp_offset(block: int) -> int:
    return STAMPS_OFFSET + (block % STAMPS) * STAMP.size
