"""The deck that is not on air: armed with a look, filled ahead while the other plays, then at rest until it is taken.

Belongs to the chunk loop's thread. Knows nothing of when it is taken, or of who arms it.
"""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path

from engine.chunk_pace import frames_of
from engine.chunk_source import ChunkSource
from engine.chunk_values import chunk_params
from engine.frame_ring import FrameRing
from engine.memory import free_caches
from engine.messages import ArmedDeck
from engine.params import ChunkParams
from engine.ring_place import RingPlace, make_ring

READY_FRAMES = 9  # a display begins a stream with so many: the first chunk at the published size
RETRY_S = 2.0  # after a chunk that failed
MOST_FAILURES = 3
_LOG = logging.getLogger(__name__)


class FreeDeck:
    """What the free deck is armed with, and how far it is filled."""

    def __init__(self, source: ChunkSource) -> None:
        self._source = source
        self._armed: ArmedDeck | None = None
        self._params = ChunkParams()
        self._place: RingPlace | None = None
        self._on_air: RingPlace | None = None  # of the deck that was taken last
        self._failures = 0
        self._retry_s = 0.0
        self.stream_id = 0  # of its frames; 0 = none is there
        self.problem = ""  # why it is not filled, in a sentence

    @property
    def serial(self) -> int:
        """Number of the arming; 0 = nothing is armed."""
        return self._armed.serial if self._armed is not None else 0

    @property
    def frames(self) -> int:
        """Frames that lie ready."""
        return self._place.ring.written if self._place is not None else 0

    @property
    def is_ready(self) -> bool:
        """Whether it can be cut in without waiting for anything."""
        return self.frames >= READY_FRAMES

    def facts(self) -> dict[str, object]:
        """What `GeneratorStatus` says of it, by field."""
        return {
            "deck_serial": self.serial,
            "deck_stream_id": self.stream_id,
            "deck_frames": self.frames,
            "deck_s": self.frames / self._source.rate_fps,
            "deck_is_ready": self.is_ready,
            "deck_problem": self.problem,
        }

    def follow(self, wanted: ArmedDeck | None) -> None:
        """Be armed as the instrument says now. What lies ready stays as long as the arming is the same."""
        if (wanted.serial if wanted is not None else 0) != self.serial:
            self._disarm()
            if wanted is not None:
                self._prepare_texts(chunk_params(wanted.values))
        if wanted is not None and wanted is not self._armed:
            self._params = chunk_params(wanted.values)
        self._armed = wanted

    def wants_chunk(self) -> bool:
        """Whether it is not filled yet and a chunk could be made now."""
        armed = self._armed
        if armed is None or self._failures >= MOST_FAILURES or time.monotonic() < self._retry_s:
            return False
        wanted = max(READY_FRAMES, math.ceil(armed.preroll_s * self._source.rate_fps))
        is_full = self.frames >= wanted or (self._place is not None and self._place.ring.free_frames < self.next_frames)
        return not is_full and self._has_texts()

    @property
    def next_frames(self) -> int:
        """Frames its next chunk has at most."""
        return frames_of(self._params.chunk_frames)

    @property
    def params(self) -> ChunkParams:
        """What its chunks are made with."""
        return self._params

    def make_chunk(self) -> None:
        """Make one chunk of it. A failure is told by `problem`; the deck on air plays on."""
        try:
            if self._place is None:
                self._place = make_ring(Path(self._armed.ring), self._source)
                self._source.begin_deck()
            chunk = self._source.generate_deck_chunk(self._params)
            self._place.ring.write(chunk)
        # ArithmeticError: NaN. The others are what torch raises for a device that is full, and a disk that is
        except (ArithmeticError, RuntimeError, MemoryError, ValueError, OSError) as error:
            self._give_up(error)
            return
        self.stream_id, self.problem, self._failures = chunk.stream_id, "", 0

    def take(self, ring_path: Path) -> FrameRing:
        """Put it on air: its ring goes to `ring_path`, its stream goes on. Only when it `is_ready`. Raises OSError."""
        place = self._place
        Path(self._armed.ring).replace(ring_path)
        self._source.take_deck()
        if self._on_air is not None:
            self._on_air.close()
        self._on_air, self._place, self._armed, self.stream_id, self.problem = place, None, None, 0, ""
        return place.ring

    def close(self) -> None:
        """Let go of everything."""
        self._disarm()
        if self._on_air is not None:
            self._on_air.close()

    def _disarm(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            Path(self._armed.ring).unlink(missing_ok=True)
            place.close()
            self._source.drop_deck()
        self._armed, self.stream_id, self.problem, self._failures, self._retry_s = None, 0, "", 0, 0.0

    def _give_up(self, error: Exception) -> None:
        _LOG.warning("the free deck cannot be filled", exc_info=error)
        armed, failures = self._armed, self._failures + 1
        self._disarm()
        free_caches()
        reason = str(error).partition("\n")[0] or type(error).__name__
        self._armed, self._failures, self._retry_s = armed, failures, time.monotonic() + RETRY_S
        self.problem = f"the free deck cannot be filled ahead ({reason}); its look comes by a hard cut instead"

    def _prepare_texts(self, params: ChunkParams) -> None:
        for text in params.prompt_texts:
            self._source.prompts.request(text)
        for file in params.lora_files:
            self._source.loras.request(file)
        for file in params.reference_files:
            self._source.references.request(file)

    def _has_texts(self) -> bool:
        """Whether every text is playable, or never will be."""
        source, params = self._source, self._params
        books = (
            (source.prompts, params.prompt_texts),
            (source.loras, params.lora_files),
            (source.references, params.reference_files),
        )
        is_missing = False
        for book, texts in books:
            for text in texts:
                if not (book.is_ready(text) or book.failure(text)):
                    book.request(text)  # a flood of others may have dropped it
                    is_missing = True
        return not is_missing
