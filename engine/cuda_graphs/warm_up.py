"""Everything a stream does at first, done before anybody sees it: kernels chosen, work recorded, memory taken."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from engine.params import ChunkParams

STREAMS = 2  # what a stream does once is recorded in the second
ROLLS = 2  # the first is as written, the second is recorded


class Warmed(Protocol):
    """What `Generator` has for this."""

    chunk_frames: int

    def generate_chunk(self, params: ChunkParams) -> object:
        """Make the next chunk."""
        ...

    def remember_chunk(self) -> None:
        """Make its clean pass."""
        ...

    def begin_anew(self) -> None:
        """Begin as if nothing had been played."""
        ...


def warm_up(generator: Warmed, window_frames: int) -> None:
    """Play and forget short streams in both chunk sizes, each until its full window has rolled.

    A few seconds on a GPU. The streams' numbers go on from there.
    """
    for frames in dict.fromkeys((1, generator.chunk_frames)):  # the size most played last: its buffers lie warm
        params = dataclasses.replace(ChunkParams(), chunk_frames=frames)
        chunks = window_frames // frames + ROLLS * max(1, generator.chunk_frames // frames)
        for _ in range(STREAMS):
            for _ in range(chunks):
                generator.generate_chunk(params)
                generator.remember_chunk()
            generator.begin_anew()
