"""A straight line through ticks that come late, bunched or not at all: their number over time.

Numbers alone. Knows nothing of MIDI.
"""

from __future__ import annotations

from collections import deque

import numpy as np

LEAST_TICKS = 12  # before anything is said
QUICK_TICKS = 24  # what is kept when the tempo has changed
KEPT_TICKS = 192  # as long as it has not: tempo within a few parts in ten thousand
SUSPICIOUS_TICKS = 6  # in a row on one side of the line: the tempo has changed, or ticks are lost
TRUSTED_GAPS = 0.6  # a tick further from the line than this is late or misnumbered: it bends nothing
LOST_GAPS = 0.3  # how near to whole gaps the ticks after lost ones lie
LEAST_DRIFT_NS = 1_500_000.0
DRIFT_SPREADS = 1.5  # of the usual distance from the line
SPREAD_OF_MEDIAN = 1.4826  # standard deviation over median distance, for normal noise


class TickLine:
    """Numbers ticks and fits time = start + number * gap. Used by one thread at a time."""

    def __init__(self) -> None:
        self._numbers: deque[int] = deque(maxlen=KEPT_TICKS)
        self._times: deque[int] = deque(maxlen=KEPT_TICKS)
        self._origin_ns = 0  # small numbers keep their digits in floats
        self._start_ns = 0.0  # of number 0, from the origin
        self.gap_ns = 0.0  # 0 while nothing can be said
        self.spread_ns = 0.0  # usual distance of a tick from the line

    @property
    def count(self) -> int:
        """Ticks the line goes through."""
        return len(self._times)

    @property
    def last_ns(self) -> int:
        """When the last tick came; 0 before the first."""
        return self._times[-1] if self._times else 0

    @property
    def next_number(self) -> int:
        """The number the next tick will get."""
        return self._numbers[-1] + 1 if self._numbers else 0

    def add(self, time_ns: int) -> int:
        """Take in a tick (time.monotonic_ns); return how many were found to be missing before it."""
        if not self._times:
            self._origin_ns = time_ns
        self._numbers.append(self.next_number)
        self._times.append(time_ns)
        lost = 0
        if self.gap_ns:
            lost = self._look_for_change()
        self._fit()
        return lost

    def clear(self) -> None:
        """Forget every tick."""
        self._numbers.clear()
        self._times.clear()
        self.gap_ns = self.spread_ns = 0.0

    def number_at(self, time_ns: int) -> float:
        """Number of the tick that falls at a moment, with its fraction. Only while `gap_ns` is not 0."""
        return (time_ns - self._origin_ns - self._start_ns) / self.gap_ns

    def _distances(self, count: int) -> np.ndarray:
        """How much later than the line the newest ticks came, in ns."""
        times = np.array([time - self._origin_ns for time in list(self._times)[-count:]], float)
        return times - self._start_ns - np.array(list(self._numbers)[-count:], float) * self.gap_ns

    def _look_for_change(self) -> int:
        if self.count < LEAST_TICKS + SUSPICIOUS_TICKS:
            return 0
        late_ns = self._distances(SUSPICIOUS_TICKS)
        gaps = np.round(late_ns / self.gap_ns)
        # a bunch that comes late catches up with itself: only what stays late was lost
        is_lost = np.all(gaps >= 1) and np.all(np.diff(gaps) >= 0)
        if is_lost and np.all(np.abs(late_ns - gaps * self.gap_ns) < LOST_GAPS * self.gap_ns):
            newest = range(-SUSPICIOUS_TICKS, 0)
            for k in newest:
                self._numbers[k] += int(gaps[k])
            return int(gaps[-1])
        middle_ns = float(np.median(late_ns))
        is_one_sided = bool(np.all(late_ns > 0) or np.all(late_ns < 0))
        is_near = bool(np.all(np.abs(late_ns) < TRUSTED_GAPS * self.gap_ns))
        if is_one_sided and is_near and abs(middle_ns) > max(LEAST_DRIFT_NS, DRIFT_SPREADS * self.spread_ns):
            while self.count > QUICK_TICKS:
                self._numbers.popleft()
                self._times.popleft()
        return 0

    def _first_numbers(self, times: np.ndarray) -> np.ndarray:
        """Number the first ticks by their usual gap: one of them may be lost already."""
        gaps = np.diff(times)
        steps = np.maximum(1.0, np.round(gaps / max(1.0, float(np.median(gaps)))))
        numbers = np.concatenate(([0.0], np.cumsum(steps))) + self._numbers[0]
        self._numbers = deque((int(number) for number in numbers), KEPT_TICKS)
        return numbers

    def _fit(self) -> None:
        if self.count < LEAST_TICKS:
            return
        numbers = np.array(self._numbers, float)
        times = np.array([time - self._origin_ns for time in self._times], float)
        if not self.gap_ns:
            numbers = self._first_numbers(times)
        gap_ns = self.gap_ns or (times[-1] - times[0]) / (numbers[-1] - numbers[0])
        start_ns = self._start_ns if self.gap_ns else float(np.median(times - numbers * gap_ns))
        late_ns = times - start_ns - numbers * gap_ns
        trusted = np.abs(late_ns - np.median(late_ns)) < TRUSTED_GAPS * gap_ns
        if trusted.sum() < LEAST_TICKS:
            trusted[:] = True
        slope, start = np.polyfit(numbers[trusted], times[trusted], 1)
        self.gap_ns, self._start_ns = float(slope), float(start)
        late_ns = times[trusted] - start - numbers[trusted] * slope
        self.spread_ns = float(np.median(np.abs(late_ns - np.median(late_ns)))) * SPREAD_OF_MEDIAN
