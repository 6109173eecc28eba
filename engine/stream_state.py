"""Everything carried from chunk to chunk, in one place: what a hard cut empties."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.caches.prompt_cache import PromptCache
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.stream_passes import StreamPasses, UnfinishedChunk
from engine.latent_anchor import LatentAnchor
from engine.vace.state import VaceState
from engine.video_in.given import VideoInput
from engine.video_in.v2v import V2VState


@dataclass(frozen=True)
class StreamMark:
    """What a chunk under way changes before it is handed over, as it was before: enough to give the chunk up."""

    chunk_frames: int
    v2v: V2VState
    vace: VaceState


@dataclass
class StreamState:
    """The stream between two chunks. Owned by the generator's thread, which has one for each deck in use."""

    passes: StreamPasses
    prompts: PromptCache
    anchor: LatentAnchor
    stream_id: int = 1
    decoder: object | None = None  # None = the next latent frame is the first of a stream
    latent_frames: int = 0  # made since the last hard cut
    frames: int = 0  # likewise, in pixels
    chunk_frames: int = field(default=0)  # latent frames of the chunks now being made; 0 = none made yet
    unfinished: UnfinishedChunk | None = None
    inputs: Mapping[int, VideoInput] = field(default_factory=dict)  # by number, each at this stream's own time
    v2v: V2VState = field(default_factory=V2VState)
    vace: VaceState = field(default_factory=VaceState)
    lora_files: tuple[str, ...] = ()  # of a free deck: kept in memory while the other plays
    cut: str | None = None  # "hard" or "soft", waiting for the next chunk; a hard one wins

    @property
    def cache(self) -> SlotCache:
        """Keys and values of all layers."""
        return self.passes.cache

    @property
    def cache_bytes(self) -> int:
        """Memory of the cache: keys as they are, keys rotated, values."""
        return 3 * sum(keys.nbytes for keys in self.cache.keys)

    def next_chunk_frames(self, wanted: int, own: int) -> int:
        """Latent frames of the next chunk: 1 or the model's own number; a change waits for a group boundary."""
        if self.cache.at_group_boundary or not self.chunk_frames:
            self.chunk_frames = 1 if wanted == 1 else own
        return self.chunk_frames

    def mark(self) -> StreamMark:
        """Where the stream stands between two chunks."""
        return StreamMark(self.chunk_frames, dataclasses.replace(self.v2v), self.vace.copy())

    def go_back(self, mark: StreamMark) -> None:
        """Give up the chunk that was begun since `mark` and not handed over."""
        self.chunk_frames, self.v2v, self.vace = mark.chunk_frames, mark.v2v, mark.vace
        self.cache.abandon_chunk()

    def hard_cut(self, stream_id: int) -> None:
        """Empty caches and decoder memory; the next chunk starts a new stream at frame 0."""
        self.cache.reset()
        self.stream_id = stream_id
        self.decoder = None
        self.latent_frames = self.frames = self.chunk_frames = 0
        self.unfinished = None
        self.v2v, self.vace = V2VState(), VaceState()
