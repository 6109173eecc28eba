"""Everything carried from chunk to chunk, in one place: what a hard cut empties."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from engine.caches.rolling_cache import RollingCache
from engine.model.block import TextKeysValues


@dataclass(frozen=True)
class UnfinishedChunk:
    """Latents that have been shown but whose clean pass has not run: it can wait until the frames have left."""

    x0: Tensor  # (1, F, C, H, W)
    text: list[TextKeysValues]


@dataclass
class StreamState:
    """The stream between two chunks. Owned by the generator's thread."""

    cache: RollingCache
    stream_id: int = 1
    decoder: object | None = None  # None = the next latent frame is the first of a stream
    latent_frames: int = 0  # made since the last hard cut
    frames: int = 0  # likewise, in pixels
    chunk_frames: int = field(default=0)  # latent frames of the chunks now being made; 0 = none made yet
    unfinished: UnfinishedChunk | None = None

    def hard_cut(self) -> None:
        """Empty caches and decoder memory; the next chunk starts a new stream at frame 0."""
        self.cache.reset()
        self.stream_id += 1
        self.decoder = None
        self.latent_frames = self.frames = self.chunk_frames = 0
        self.unfinished = None
