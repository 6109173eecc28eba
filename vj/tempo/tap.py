"""Tempo from the hand: a line through the taps of one series. Knows nothing of clocks or parameters."""

from __future__ import annotations

import statistics
from collections import deque

TAPS_FOR_TEMPO = 4
KEPT_TAPS = 16
PAUSE_NS = 2_500_000_000  # longer than a beat at 24 BPM: another series begins
PAUSE_BEATS = 2.6  # so many of the series' own beats without a tap, too
BOUNCE_NS = 120_000_000  # sooner than a beat at 500 BPM: one press heard twice
LEAST_BPM, MOST_BPM = 20.0, 300.0
MINUTE_NS = 60_000_000_000


class TapTempo:
    """One series of taps at a time. Used by one thread at a time."""

    def __init__(self) -> None:
        self._taps: deque[int] = deque(maxlen=KEPT_TAPS)

    def tap(self, time_ns: int) -> bool:
        """Take in a tap (time.monotonic_ns); False when it is one press heard twice."""
        if self._taps:
            pause_ns = time_ns - self._taps[-1]
            if pause_ns < BOUNCE_NS:
                return False
            if pause_ns > self._longest_pause_ns():
                self._taps.clear()
        self._taps.append(time_ns)
        return True

    @property
    def bpm(self) -> float | None:
        """Tempo of the series by least squares; None before the fourth tap, and outside 20..300 BPM.

        A beat that was left out counts as two.
        """
        if len(self._taps) < TAPS_FOR_TEMPO:
            return None
        gap_ns = self._usual_gap_ns()
        beats, times = [0], [0]
        for before, after in zip(self._taps, list(self._taps)[1:], strict=False):
            beats.append(beats[-1] + max(1, round((after - before) / gap_ns)))
            times.append(after - self._taps[0])
        bpm = MINUTE_NS / statistics.linear_regression(beats, times).slope
        return bpm if LEAST_BPM <= bpm <= MOST_BPM else None

    def clear(self) -> None:
        """Forget the series."""
        self._taps.clear()

    def _usual_gap_ns(self) -> float:
        taps = list(self._taps)
        return statistics.median(after - before for before, after in zip(taps, taps[1:], strict=False))

    def _longest_pause_ns(self) -> float:
        if len(self._taps) < 3:
            return PAUSE_NS
        return min(PAUSE_NS, PAUSE_BEATS * self._usual_gap_ns())
