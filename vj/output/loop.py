"""What was good last, kept to be played when nothing newer comes: to and fro, so that it has no seam.

Knows nothing of rings, of why it is played, or of GL.
"""

from __future__ import annotations

from collections import deque

from engine.frame_ring import Frame
from vj.output.frame_reader import Picture

LONGEST_S = 6.0
LARGEST_BYTES = 256 << 20  # at 832x480 and 16 frames per second six seconds are 153 MB
TURN_FRAMES = 2.0  # the way slows down where it turns: no jerk


class LastGoodSeconds:
    """The newest frames that were shown, oldest first. Owned by the thread that draws."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: Frame) -> None:
        """Keep one more frame; the oldest go when there are too many, and all of another size or stream.

        What played before a cut would be seen as a cut off the beat.
        """
        if self._frames:
            newest = self._frames[-1]
            if (newest.stream_id, newest.pixels.shape) != (frame.stream_id, frame.pixels.shape):
                self.clear()
        self._frames.append(frame)
        self._bytes += frame.pixels.nbytes
        longest = max(2, round(LONGEST_S * frame.rate_fps))
        while len(self._frames) > 2 and (len(self._frames) > longest or self._bytes > LARGEST_BYTES):
            self._bytes -= self._frames.popleft().pixels.nbytes

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self._bytes = 0

    def picture(self, played_s: float) -> Picture | None:
        """The pair to blend `played_s` seconds after the newest frame: backwards first, then to and fro."""
        count = len(self._frames)
        if count == 0:
            return None
        newest = self._frames[-1]
        if count == 1:
            return Picture(newest, newest, 0.0)
        position = (count - 1) - there_and_back(played_s * newest.rate_fps, count - 1)
        floor = min(int(position), count - 2)
        return Picture(self._frames[floor], self._frames[floor + 1], position - floor)


def there_and_back(way: float, length: float) -> float:
    """Position 0..length of something that has gone `way` to and fro from 0, rounded at the turns."""
    period = 2.0 * length
    phase = way % period
    position = phase if phase <= length else period - phase
    turn = min(TURN_FRAMES, length / 2)
    # a parabola where the way turns: x^2 / 2t + t / 2 meets the straight way at t with its slope
    if position < turn:
        return position * position / (2.0 * turn) + turn / 2.0 if way > turn else position
    if length - position < turn:
        rest = length - position
        return length - (rest * rest / (2.0 * turn) + turn / 2.0)
    return position
