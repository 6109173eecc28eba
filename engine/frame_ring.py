"""Frames from one writing process to one reading process through a memory-mapped file.

One writer, one reader. The writer waits for room by asking `free_frames`; the reader never waits. The reader may die
and another may take its place: all state is in the file. Imports no torch; knows nothing of models, Qt or timing.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.chunk import Chunk
from engine.mapped_file import make_mapped_file

MAGIC = b"VJRING04"
HEADER = struct.Struct("<8sIIIIdQQ")  # magic, width, height, capacity, process id of the writer, rate, written, read
WRITTEN_OFFSET = HEADER.size - 16
READ_OFFSET = HEADER.size - 8
COUNTER = struct.Struct("<Q")
# serial, stream id, frame, rate, generation id, params version, made_ns, present_ns, input_ns, frames left
SLOT = struct.Struct("<QQQdQQQQQQ")
PRESENT_OFFSET = SLOT.size - 24
LEFT_OFFSET = SLOT.size - 8
SLOT_SPACE_BYTES = 128
HEADER_SPACE_BYTES = 4096
CHANNELS = 4  # RGBA


@dataclass(frozen=True)
class Frame:
    """One frame out of the ring. `pixels` is a copy the reader owns."""

    pixels: np.ndarray  # (H, W, 4) uint8 RGBA sRGB, top row first
    stream_id: int
    index: int  # frames since the last hard cut
    rate_fps: float
    generation_id: int
    params_version: int
    made_ns: int
    present_ns: int = 0  # of a stream's first frames: when they are to be seen; 0 = once they are there
    input_ns: int = 0  # when the frame of an input came that this one is painted over or guided by; 0 = there is none
    frames_left: int = 0  # of its chunk after this one, written already or not

    @property
    def media_s(self) -> float:
        """Media time in seconds since the last hard cut."""
        return self.index / self.rate_fps


class FrameRing:
    """A ring of RGBA frames in a file. Counters only grow: slot = counter modulo capacity.

    Writer process: `create`, `write`, `free_frames`. Reader process: `attach`, `written`, `peek`, `release`.
    """

    def __init__(self, path: Path, memory: mmap.mmap) -> None:
        self.path = path
        self._memory = memory
        magic, self.width, self.height, self.capacity, _, self.rate_fps, _, _ = HEADER.unpack_from(memory, 0)
        if magic != MAGIC:
            raise ValueError(f"{path} is not a frame ring of this version; start the engine again")
        self._slot_bytes = SLOT_SPACE_BYTES + self.width * self.height * CHANNELS

    @classmethod
    def create(
        cls, path: Path, *, width: int, height: int, rate_fps: float, capacity: int, process_id: int
    ) -> FrameRing:
        """Make the file (overwriting a stale one). Raises OSError when the place is full or not writable."""
        size = HEADER_SPACE_BYTES + capacity * (SLOT_SPACE_BYTES + width * height * CHANNELS)
        make_mapped_file(path, size, HEADER.pack(MAGIC, width, height, capacity, process_id, rate_fps, 0, 0))
        return cls.attach(path)

    @classmethod
    def attach(cls, path: Path) -> FrameRing:
        """Open an existing ring. Raises FileNotFoundError until the writer has made it."""
        with path.open("r+b") as file:
            return cls(path, mmap.mmap(file.fileno(), 0))

    @property
    def written(self) -> int:
        """Frames written since the ring was made."""
        return COUNTER.unpack_from(self._memory, WRITTEN_OFFSET)[0]

    @property
    def read(self) -> int:
        """Frames the reader has let go of since the ring was made."""
        return COUNTER.unpack_from(self._memory, READ_OFFSET)[0]

    @property
    def free_frames(self) -> int:
        """Slots the writer may fill without overwriting what the reader still holds."""
        return self.capacity - (self.written - self.read)

    def write(self, chunk: Chunk) -> None:
        """Append a chunk, or a part of one. The caller has made sure that `free_frames` covers it. Never waits."""
        count, height, width, channels = chunk.frames.shape
        if (height, width, channels) != (self.height, self.width, CHANNELS):
            raise ValueError(f"the ring holds {self.width}x{self.height} RGBA frames, got {width}x{height}x{channels}")
        if count > self.free_frames:
            raise ValueError(f"{count} frames do not fit: {self.free_frames} of {self.capacity} slots are free")
        for k in range(count):
            counter = self.written
            offset = self._slot_offset(counter)
            COUNTER.pack_into(self._memory, offset, 0)  # being written: no reader takes a slot without its serial
            pixels = offset + SLOT_SPACE_BYTES
            self._memory[pixels : pixels + self.width * self.height * CHANNELS] = np.ascontiguousarray(
                chunk.frames[k]
            ).data.cast("B")
            SLOT.pack_into(
                self._memory,
                offset,
                counter + 1,
                chunk.stream_id,
                chunk.first_frame + k,
                chunk.rate_fps,
                chunk.generation_id,
                chunk.params_version,
                chunk.made_ns,
                chunk.present_ns,
                chunk.input_ns[k] if chunk.input_ns else 0,
                chunk.frames_left + count - 1 - k,
            )
            COUNTER.pack_into(self._memory, WRITTEN_OFFSET, counter + 1)

    def peek(self, counter: int) -> Frame | None:
        """Copy out frame number `counter` (0 = first ever written); None if it is not there (yet, or any more)."""
        offset = self._slot_offset(counter)
        serial, *about = SLOT.unpack_from(self._memory, offset)
        if serial != counter + 1:
            return None
        start = offset + SLOT_SPACE_BYTES
        size = self.width * self.height * CHANNELS
        pixels = np.frombuffer(self._memory[start : start + size], np.uint8).reshape(self.height, self.width, CHANNELS)
        if COUNTER.unpack_from(self._memory, offset)[0] != counter + 1:
            return None  # overwritten while it was copied
        return Frame(pixels, *about)

    def stream_of(self, counter: int) -> int | None:
        """Stream id of frame number `counter` without copying pixels; None if it is not there."""
        serial, stream_id = struct.unpack_from("<QQ", self._memory, self._slot_offset(counter))
        return stream_id if serial == counter + 1 else None

    def is_chunk_end(self, counter: int) -> bool:
        """Whether frame number `counter` is there and the last of its chunk, without copying pixels."""
        offset = self._slot_offset(counter)
        left = COUNTER.unpack_from(self._memory, offset + LEFT_OFFSET)[0]
        return left == 0 and COUNTER.unpack_from(self._memory, offset)[0] == counter + 1

    def present_ns_of(self, counter: int) -> int:
        """When frame number `counter` is to be seen, without copying pixels; 0 = once it is there, or unknown."""
        offset = self._slot_offset(counter)
        present_ns = COUNTER.unpack_from(self._memory, offset + PRESENT_OFFSET)[0]
        return present_ns if COUNTER.unpack_from(self._memory, offset)[0] == counter + 1 else 0

    def release(self, counter: int) -> None:
        """Let the writer reuse every slot before frame number `counter`. Never moves back."""
        if counter > self.read:
            COUNTER.pack_into(self._memory, READ_OFFSET, counter)

    def close(self) -> None:
        """Unmap. The file stays until its owner deletes it."""
        self._memory.close()

    def _slot_offset(self, counter: int) -> int:
        return HEADER_SPACE_BYTES + (counter % self.capacity) * self._slot_bytes
