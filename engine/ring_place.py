"""Where the ring of frames is made: where the instrument asked for it, or elsewhere when that place is full.

Knows nothing of chunks or pipes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.chunk_pace import LARGEST_CHUNK_FRAMES
from engine.chunk_source import ChunkSource
from engine.frame_ring import FrameRing

RING_CHUNKS = 5  # four ahead, and room for the one a cut wants at once


@dataclass(frozen=True)
class RingPlace:
    """A ring, and the folder that was made for it elsewhere."""

    ring: FrameRing
    folder: Path | None = None
    problem: str = ""  # a sentence about the place that was full

    def close(self) -> None:
        """Let go of the ring. The file stays, but not in a folder of our own."""
        self.ring.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def make_ring(path: Path, source: ChunkSource) -> RingPlace:
    """Make the ring for a source; in a full place only a link to it. Raises OSError when there is room nowhere."""
    try:
        return RingPlace(_create(path, source))
    except OSError as error:
        if not path.parent.is_dir():
            raise
        # the name of a run's folder: the next run deletes it should this process be killed
        folder = Path(tempfile.mkdtemp(prefix=f"vj-run-{os.getpid()}-"))
        full = f"{path.parent} is full ({error.strerror or error})"
    try:
        ring = _create(folder / path.name, source)
        _link(path, folder / path.name)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return RingPlace(ring, folder, f"{full}: the frames go through {folder}, which may be slower")


def _create(path: Path, source: ChunkSource) -> FrameRing:
    return FrameRing.create(
        path,
        width=source.width,
        height=source.height,
        rate_fps=source.rate_fps,
        capacity=RING_CHUNKS * LARGEST_CHUNK_FRAMES,
        process_id=os.getpid(),
    )


def _link(path: Path, target: Path) -> None:
    """Let `path` lead to `target`, at once for whoever looks there."""
    partial = path.with_suffix(".link")
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    partial.symlink_to(target)
    partial.replace(path)
