"""A small mapped file through which panels and stage tell each other their latest message. Nobody ever waits.

Each way has two slots written in turn: the newest complete message is always there. Knows nothing of what is in it.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

from engine.mapped_file import make_mapped_file

BLOCK_NAME, RING_NAME, DECK_RING_NAME = "stage.block", "frames.ring", "deck.ring"  # in the folder of a run
PICTURES_NAME = "output.pictures"  # what the first output shows, while anybody wants it
MAGIC = b"VJSTAGE2"
HEADER = struct.Struct("<8sQ")  # magic, process id of the panels that may write
OWNER_OFFSET = 8
LANES_OFFSET = 64
SEQUENCE = struct.Struct("<Q")
SLOT = struct.Struct("<QII")  # sequence, length, checksum
SLOT_BYTES = 64 << 10
LONGEST_MESSAGE_BYTES = SLOT_BYTES - SLOT.size
LANE_BYTES = SEQUENCE.size + 2 * SLOT_BYTES
LANES = 3
TRIES = 3  # a message torn by its writer is there complete the next time


class Lane:
    """Messages one way. One writer, any number of readers; each reader has a Lane of its own."""

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self._memory = memory
        self._offset = offset
        self._read_sequence = 0
        self._last = b""

    @property
    def sequence(self) -> int:
        """Messages written so far; moves when there is something new to read."""
        return SEQUENCE.unpack_from(self._memory, self._offset)[0]

    def write(self, message: bytes) -> None:
        """Put the newest message in place of the one before the last. Raises ValueError when it is too long."""
        if len(message) > LONGEST_MESSAGE_BYTES:
            raise ValueError(f"a message of {len(message)} bytes; the block takes {LONGEST_MESSAGE_BYTES}")
        sequence = self.sequence + 1
        start = self._slot(sequence)
        SLOT.pack_into(self._memory, start, sequence, len(message), zlib.crc32(message))
        self._memory[start + SLOT.size : start + SLOT.size + len(message)] = message
        SEQUENCE.pack_into(self._memory, self._offset, sequence)

    def read(self) -> bytes:
        """Return the newest message; the last good one while it is torn, nothing before the first."""
        for _ in range(TRIES):
            sequence = self.sequence
            if sequence == self._read_sequence:
                break
            start = self._slot(sequence)
            marked, length, checksum = SLOT.unpack_from(self._memory, start)
            message = self._memory[start + SLOT.size : start + SLOT.size + min(length, LONGEST_MESSAGE_BYTES)]
            if marked == sequence and zlib.crc32(message) == checksum:
                self._read_sequence, self._last = sequence, message
                break
        return self._last

    @property
    def is_new(self) -> bool:
        """Whether something was written since the last complete reading."""
        return self.sequence != self._read_sequence

    def _slot(self, sequence: int) -> int:
        return self._offset + SEQUENCE.size + (sequence % 2) * SLOT_BYTES


class StageBlock:
    """The file: `wishes` from the panels to the stage, `state` and the picture `seen` back.

    Its folder's owner deletes it.
    """

    def __init__(self, path: Path, memory: mmap.mmap) -> None:
        if memory[: len(MAGIC)] != MAGIC:
            raise ValueError(f"{path} is not a stage block of this version")
        self.path = path
        self._memory = memory
        self.wishes = Lane(memory, LANES_OFFSET)
        self.state = Lane(memory, LANES_OFFSET + LANE_BYTES)
        self.seen = Lane(memory, LANES_OFFSET + 2 * LANE_BYTES)

    @classmethod
    def create(cls, path: Path) -> StageBlock:
        """Make the file. Raises OSError when the place is full or cannot be written."""
        make_mapped_file(path, LANES_OFFSET + LANES * LANE_BYTES, HEADER.pack(MAGIC, 0))
        return cls.attach(path)

    @classmethod
    def attach(cls, path: Path) -> StageBlock:
        """Open an existing block. Raises OSError, or ValueError for something else."""
        with path.open("r+b") as file:
            return cls(path, mmap.mmap(file.fileno(), 0))

    @property
    def panels_id(self) -> int:
        """Process id of the panels that write wishes: the latest that have come; 0 = none yet."""
        return SEQUENCE.unpack_from(self._memory, OWNER_OFFSET)[0]

    def take(self, panels_id: int) -> None:
        """Become the one that writes wishes; who did before sees it and stops."""
        SEQUENCE.pack_into(self._memory, OWNER_OFFSET, panels_id)

    def close(self) -> None:
        """Unmap."""
        self._memory.close()
