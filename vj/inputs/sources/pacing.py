"""When a picture of a file is due: media time to clock time, at any speed, without ever catching up in a rush."""

from __future__ import annotations

import time

NS_PER_S = 1_000_000_000
LATE_S = 0.5  # a source that is slower than its own time plays as fast as it can from then on
LONGEST_WAIT_S = 0.05  # a hand that moves something meanwhile is heard within this


class MediaClock:
    """Where in a file it is now. Used by one thread."""

    def __init__(self) -> None:
        self._media_s = 0.0
        self._at_ns = time.monotonic_ns()
        self._speed = 1.0

    def position_s(self, now_ns: int) -> float:
        """Media time at a moment."""
        return self._media_s + (now_ns - self._at_ns) / NS_PER_S * self._speed

    def due_ns(self, media_s: float) -> int:
        """Return the moment a media time is reached."""
        return self._at_ns + round((media_s - self._media_s) / self._speed * NS_PER_S)

    def set(self, media_s: float, at_ns: int) -> None:
        """It is at `media_s` at that moment."""
        self._media_s, self._at_ns = media_s, at_ns

    def set_speed(self, speed: float, now_ns: int) -> None:
        """Run on from here at another speed (above 0)."""
        if speed != self._speed:
            self.set(self.position_s(now_ns), now_ns)
            self._speed = speed

    def wait_for(self, media_s: float) -> bool:
        """Wait until a media time is reached, but not long: True when it is, False when it is not yet."""
        wait_s = (self.due_ns(media_s) - time.monotonic_ns()) / NS_PER_S
        if wait_s > LONGEST_WAIT_S:
            time.sleep(LONGEST_WAIT_S)
            return False
        if wait_s > 0.0:
            time.sleep(wait_s)
        elif wait_s < -LATE_S:
            self.set(media_s, time.monotonic_ns())
        return True
