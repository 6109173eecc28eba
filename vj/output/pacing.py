"""When to draw next: at once where swaps wait for the display, by the clock where they do not.

Works on numbers alone. Knows nothing of windows or GL.
"""

from __future__ import annotations

SECOND_NS = 1_000_000_000
ASSUMED_HZ = 60.0  # where the display does not say
QUICK_SHARE = 0.9  # of the refresh period: a swap that comes back sooner did not wait, or made up for a late one
QUICK_SWAPS = 6  # in a row, before that is believed: late ones made up for are never so many
HEAVY_SHARE = 0.65  # of the period computed for one drawing: the rest starves, every second refresh will do
LIGHT_SHARE = 0.45
SKIP_SHARE = 0.9  # of a period: enough to miss one refresh, early enough for the next
SMOOTHING = 0.05  # of both times, per refresh


class RefreshPace:
    """Keeps one window at its display's rate. Owned by the thread that draws."""

    def __init__(self, refresh_hz: float) -> None:
        self._period_ns = SECOND_NS / ASSUMED_HZ
        self._quick_swaps = 0
        self.is_timed = False  # swaps were found not to wait
        self._is_halved = False
        self._cost_ns = 0.0
        self._busy_ns = 0.0
        self._due_ns = 0.0
        self._swapped_ns: int | None = None
        self.set_rate(refresh_hz)

    def set_rate(self, refresh_hz: float) -> None:
        """Take another display's rate; whether its swaps wait is found out anew."""
        self._period_ns = SECOND_NS / (refresh_hz if refresh_hz > 1.0 else ASSUMED_HZ)
        self._quick_swaps, self.is_timed = 0, False

    @property
    def lag_ns(self) -> int:
        """Nanoseconds from the begin of a drawing until its light: the next refresh, or the drawing itself."""
        return int(self._cost_ns if self.is_timed else self._period_ns)

    def note_cost(self, spent_ns: int, busy_ns: int) -> None:
        """Take in the nanoseconds one drawing took, waiting for the display excluded, and those it kept cores busy.

        Only the latter say that drawing is heavy: what waits for a core that others use is no cheaper at half the rate.
        """
        self._cost_ns += SMOOTHING * (spent_ns - self._cost_ns)
        self._busy_ns += SMOOTHING * (busy_ns - self._busy_ns)
        if self._busy_ns > HEAVY_SHARE * self._period_ns:
            self._is_halved = True
        elif self._busy_ns < LIGHT_SHARE * self._period_ns:
            self._is_halved = False

    def delay_ns(self, now_ns: int) -> int:
        """Nanoseconds to wait before the next drawing is asked for; call when a swap has come back."""
        if not self.is_timed and self._swapped_ns is not None:
            is_quick = now_ns - self._swapped_ns < QUICK_SHARE * self._period_ns
            self._quick_swaps = self._quick_swaps + 1 if is_quick else 0
            self.is_timed = self._quick_swaps >= QUICK_SWAPS
            self._due_ns = now_ns
        self._swapped_ns = now_ns
        if not self.is_timed:
            # the swap itself waits for the rest of the second period
            return int(self._period_ns * SKIP_SHARE) if self._is_halved else 0
        # a refresh that came late is not made up for: the next one is a period away
        self._due_ns = max(self._due_ns + self._period_ns * (2 if self._is_halved else 1), now_ns)
        return int(self._due_ns - now_ns)
