"""Files that processes share by mapping them: made with all of their room and a whole header, then put in place.

Knows nothing of what they hold.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def make_mapped_file(path: Path, size_bytes: int, header: bytes) -> None:
    """Make the file in place of one of the same name, zeros after its header. Raises OSError.

    A reader never sees half of it. All of its room is taken now: a disk that fills up later would kill (SIGBUS).
    """
    partial = path.with_suffix(path.suffix + ".partial")
    try:
        with partial.open("wb") as file:
            file.truncate(size_bytes)
            file.write(header)
            file.flush()
            if sys.platform == "linux":
                os.posix_fallocate(file.fileno(), 0, size_bytes)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)


def is_at(path: Path, file_id: int) -> bool:
    """Whether the file of this number (st_ino) still stands at its path."""
    try:
        return path.stat().st_ino == file_id
    except OSError:
        return False
