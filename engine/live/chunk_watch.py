"""What whoever plays a chunk has to say while it is made, and what it is shown before all of it is there.

Imports no torch; knows nothing of models, rings or commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.chunk import Chunk


class ChunkGivenUp(Exception):  # noqa: N818  (nothing went wrong)
    """The chunk under way was given up as asked; the stream stands where it stood before it."""


@dataclass(frozen=True)
class ChunkWatch:
    """Both are called on the thread that makes the chunk, and must not wait."""

    is_given_up: Callable[[], bool]  # asked after every denoising step: True = make it no further
    show: Callable[[Chunk], None]  # takes the chunk's frames part by part, in order, the last part too
