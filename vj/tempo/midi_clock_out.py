"""MIDI clock out: 24 ticks a beat from a thread of its own, so that nothing else of the show makes them late.

Knows the clock and how to send bytes; knows nothing of ports.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from vj.tempo.clock import BEATS_PER_BAR, Clock
from vj.tempo.midi_clock import START, STOP, TICK, TICKS_PER_BEAT

TICKS_PER_BAR = TICKS_PER_BEAT * BEATS_PER_BAR
LONGEST_SLEEP_S = 0.02  # the beat may move meanwhile: a hand at the tempo, a leader
IDLE_S = 0.1  # how often a clock that is not wanted is looked at
MOST_LATE_TICKS = 12  # more at once is no tempo: a listener is started anew instead


class MidiClockOutput:
    """Ticks while it is wanted. Started and stopped by one thread."""

    def __init__(self, clock: Clock, is_wanted: Callable[[], bool], send: Callable[[bytes], None]) -> None:
        """`is_wanted` and `send` are called by this thread alone; `send` takes one whole message."""
        self._clock = clock
        self._is_wanted = is_wanted
        self._send = send
        self._sent: int | None = None  # number of the last tick, by the clock's beat
        self._is_started = False  # the listeners count bars as the clock does
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi clock", daemon=True)

    def start(self) -> None:
        """Begin to tick whenever it is wanted."""
        self._thread.start()

    def stop(self) -> None:
        """Say stop to the listeners and end; waits at most a second."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            if not self._is_wanted():
                self._fall_silent()
                self._is_stopping.wait(IDLE_S)
                continue
            wait_s = self.advance(time.monotonic_ns()) / 1e9
            if wait_s > 0.0:
                time.sleep(min(wait_s, LONGEST_SLEEP_S))
        self._fall_silent()

    def advance(self, now_ns: int) -> int:
        """Send the ticks that are due; return nanoseconds until the next one."""
        due = math.floor(self._clock.beat_at(now_ns) * TICKS_PER_BEAT + 1e-6)
        if self._sent is None:
            self._sent = due
        if due - self._sent > MOST_LATE_TICKS:  # the beat was moved on, or this machine slept
            self._sent, self._is_started = due - 1, False
        while self._sent < due:
            self._sent += 1
            if not self._is_started and self._sent % TICKS_PER_BAR == 0:
                self._send(bytes([START]))
                self._is_started = True
            self._send(bytes([TICK]))
        return self._clock.time_of_beat((self._sent + 1) / TICKS_PER_BEAT) - now_ns

    def _fall_silent(self) -> None:
        if self._sent is not None:
            self._send(bytes([STOP]))
        self._sent, self._is_started = None, False
