"""When the next chunk must be begun: late enough that a hand is seen soon, early enough that the stream never starves.

Works on numbers alone. Knows nothing of rings, clocks or models.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Sequence

FRAMES_PER_LATENT = 4  # the first latent frame of a stream is one frame; counting it as four is on the safe side
LARGEST_CHUNK_FRAMES = 12  # three latent frames
MEASURED_CHUNKS = 7  # the median of these is the expected time; a single stall does not move it for long
TIME_SHARE = 1.25  # a chunk may take this much longer than expected before the display notices
# the display slows down with less than 0.2 s of frames in hand when a chunk arrives, and recovers from 0.3 s on
RESERVE_S = 0.3


def frames_of(chunk_frames: int) -> int:
    """Frames a chunk of so many latent frames has at most; two are made as three."""
    return FRAMES_PER_LATENT if chunk_frames == 1 else LARGEST_CHUNK_FRAMES


def playable_s(parts: Sequence[tuple[float, int]], rate_fps: float) -> float:
    """Seconds after which a chunk may be played without waiting for a later part: (seconds, frames) of each, in order.

    A part is late only if it comes after all before it have been played.
    """
    frames_before = 0
    answer_s = 0.0
    for seconds, frames in parts:
        answer_s = max(answer_s, seconds - frames_before / rate_fps)
        frames_before += frames
    return answer_s


class ChunkPace:
    """How long chunks take and what that means for the buffer. Used by one thread."""

    def __init__(self, rate_fps: float, capacity_frames: int) -> None:
        self._rate_fps = rate_fps
        self._capacity_frames = capacity_frames
        self._answer_s: dict[int, deque[float]] = {}  # latent frames per chunk -> seconds from begin to frames
        self._making: deque[tuple[int, float]] = deque(maxlen=MEASURED_CHUNKS)  # frames, all seconds spent on them

    def note(self, chunk_frames: int, frames: int, answer_s: float, total_s: float) -> None:
        """Take in a chunk: seconds until its frames could be played, and until the next one could be begun."""
        self._answer_s.setdefault(chunk_frames, deque(maxlen=MEASURED_CHUNKS)).append(answer_s)
        self._making.append((frames, total_s))

    @property
    def generator_fps(self) -> float:
        """Frames made per second of making, idle waits excluded; 0 before the first chunk."""
        seconds = sum(spent for _, spent in self._making)
        return sum(frames for frames, _ in self._making) / seconds if seconds > 0 else 0.0

    def expected_s(self, chunk_frames: int, frames: int) -> float:
        """Seconds the next chunk of so many (latent) frames will take; its own playing time before one was measured."""
        times = self._answer_s.get(chunk_frames)
        if not times:
            return frames / self._rate_fps
        # the last one counts when it was slower: a machine that has just become busy stays so for a while
        return max(statistics.median(times), times[-1])

    def slowest_s(self, chunk_frames: int, frames: int) -> tuple[float, float]:
        """Seconds until a chunk's frames are there, and until the one after it may be begun, as slow as of late."""
        times = self._answer_s.get(chunk_frames)
        answer_s = max(times) if times else frames / self._rate_fps
        return answer_s, max([answer_s, *(seconds for _, seconds in self._making)])

    def low_water_frames(self, chunk_frames: int, frames: int) -> int:
        """Buffered frames at which the next chunk must be begun."""
        needed_s = self.expected_s(chunk_frames, frames) * TIME_SHARE + RESERVE_S
        return min(math.ceil(needed_s * self._rate_fps), self._capacity_frames - frames)
