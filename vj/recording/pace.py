"""Which picture of the ring belongs to which moment of a recording: at a constant rate, or each at its own.

Pure arithmetic over the ring's moments. Nothing is ever waited for: what came too late to be had is counted.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from vj.recording.packets import TICKS_HZ

SECOND_NS = 1_000_000_000
STILL_NS = 250_000_000  # an output that drew nothing for so long: its last picture goes on


class Moments(Protocol):
    """When the pictures of a ring were drawn: `engine.video_in.input_ring.InputRing`."""

    capacity: int

    @property
    def written(self) -> int:
        """Serial of the newest."""
        ...

    def arrived_ns(self, serial: int) -> int | None:
        """When it was drawn; None when it is not there any more."""
        ...

    def serial_at(self, at_ns: int) -> int:
        """Serial of the newest one drawn by then; the oldest one held when all are younger."""
        ...


class Due(NamedTuple):
    """One picture of the recording."""

    serial: int  # in the ring; 0 = the picture before once more
    at_ticks: int  # of TICKS_HZ since the recording began


class Pace:
    """Counts through a recording. Begins with the first picture it finds at or after `begin_ns`."""

    def __init__(self, rate_fps: int | None, begin_ns: int) -> None:
        """`rate_fps` None = each picture at its own moment."""
        self.dropped = 0  # pictures of the file that could not be had any more
        self.begin_ns = begin_ns
        self._rate_fps = rate_fps
        self._has_begun = False
        self._slot = 0  # number of the next frame at a constant rate
        self._serial = 0  # of the last picture taken, where each has its own moment
        self._is_ring_new = False  # it holds nothing of the moments before it was made
        self._ticks = -1

    def change_ring(self) -> None:
        """Go on with a ring that was made anew."""
        self._serial, self._is_ring_new = 0, True

    def due(self, ring: Moments, now_ns: int) -> Due | None:
        """Say what comes next, None while it is not there yet."""
        if not self._has_begun and not self._begin(ring):
            return None
        return self._next_own(ring) if self._rate_fps is None else self._next_slot(ring, self._rate_fps, now_ns)

    def _begin(self, ring: Moments) -> bool:
        newest = ring.written
        if not newest:
            return False
        serial = ring.serial_at(self.begin_ns)
        arrived_ns = ring.arrived_ns(serial)
        if arrived_ns is not None and arrived_ns < self.begin_ns:
            serial += 1
            arrived_ns = ring.arrived_ns(serial)
        if serial > newest or arrived_ns is None:
            return False
        self.begin_ns, self._has_begun = arrived_ns, True
        self._serial = serial - 1
        return True

    def _next_own(self, ring: Moments) -> Due | None:
        newest = ring.written
        oldest = max(1, newest - ring.capacity + 2)  # the one before may be written over now
        if self._serial + 1 < oldest:
            self.dropped += oldest - self._serial - 1 if self._serial else 0
            self._serial = oldest - 1
        while self._serial < newest:
            self._serial += 1
            arrived_ns = ring.arrived_ns(self._serial)
            if arrived_ns is None:
                self.dropped += 1
                continue
            ticks = round((arrived_ns - self.begin_ns) * TICKS_HZ / SECOND_NS)
            if ticks > self._ticks:  # of two at one moment the first
                self._ticks = ticks
                return Due(self._serial, ticks)
        return None

    def _next_slot(self, ring: Moments, rate_fps: int, now_ns: int) -> Due | None:
        while True:
            middle_ns = self.begin_ns + (2 * self._slot + 1) * SECOND_NS // (2 * rate_fps)  # after it the next begins
            newest_ns = ring.arrived_ns(ring.written)
            if (newest_ns is None or newest_ns <= middle_ns) and now_ns < middle_ns + STILL_NS:
                return None
            serial = ring.serial_at(middle_ns)
            arrived_ns = ring.arrived_ns(serial)
            slot, self._slot = self._slot, self._slot + 1
            if arrived_ns is not None and arrived_ns <= middle_ns:
                self._is_ring_new = False
                return Due(serial, slot * TICKS_HZ // rate_fps)
            if self._is_ring_new:
                return Due(0, slot * TICKS_HZ // rate_fps)
            self.dropped += 1
