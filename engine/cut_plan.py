"""When a cut that is to be seen at a given moment must be begun, and what the old stream still needs until then.

Works on numbers alone. Knows nothing of rings, commands or models.
"""

from __future__ import annotations

from dataclasses import dataclass

MARGIN_S = 0.05  # on top of every share: the pipe, the ring, a thread that wakes up late
SHOWN_FRAMES = 5  # a stream of fewer frames is no motion yet


@dataclass(frozen=True)
class CutPlan:
    """Seconds, as measured now: what one chunk costs, and what it takes until a new stream can be shown."""

    busy_s: float  # one chunk, from its begin until the next may be begun
    need_s: float  # a new stream, from its begin until enough of its frames are there

    @classmethod
    def of(cls, answer_s: float, busy_s: float, first_frames: int) -> CutPlan:
        """From how long a chunk's frames and a whole chunk are expected to take, and a stream's first chunk's size."""
        chunks_before = 0 if first_frames >= SHOWN_FRAMES else 1
        return cls(busy_s, chunks_before * busy_s + answer_s + MARGIN_S)

    @property
    def lead_s(self) -> float:
        """From a cut's command, at worst just after a chunk was begun, until its stream can be shown."""
        return self.busy_s + self.need_s

    def must_begin(self, left_s: float) -> bool:
        """Whether the cut's chunk must be begun now: after one more of the old stream it would be too late."""
        return left_s <= self.lead_s

    def must_fill(self, left_s: float, buffered_s: float) -> bool:
        """Whether the old stream needs a chunk now, the last there is time for, to be there until the cut."""
        return self.lead_s < left_s <= self.lead_s + self.busy_s and buffered_s < left_s
