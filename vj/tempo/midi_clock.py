"""MIDI clock in: ticks, start, stop, continue and song position become a beat that can lead.

Knows bytes and times; knows nothing of ports.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from vj.tempo.beat_line import MINUTE_NS, BeatLine
from vj.tempo.clock import BEATS_PER_BAR, Lead
from vj.tempo.tick_line import QUICK_TICKS, TickLine

TICKS_PER_BEAT = 24
TICKS_PER_SONG_STEP = 6  # song position counts sixteenths
TICK, START, CONTINUE, STOP, SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2
FIRST_WORDS = (TICK, START, CONTINUE, SONG_POSITION)  # what a device that was not heard before may begin with
SILENT_NS = 500_000_000  # and this many gaps without a tick: nobody leads any more
SILENT_GAPS = 4
NOT_FASTER_NS = 6_000_000  # a gap of 400 BPM: a line through such ticks is none


class MidiClockInput:
    """The clock of one MIDI device at a time: the first that ticks is heard until it falls silent.

    `receive` may be called on any thread, `lead` as well; neither waits long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line = TickLine()
        self._device = ""
        self._first_number: int | None = None  # of the tick that was song position `_song_ticks`; None = never started
        self._song_ticks = 0  # where the song stands when it plays on
        self._is_starting = False  # the next tick is the first of the song's
        self._is_playing = False

    @property
    def is_playing(self) -> bool:
        """Whether the device's transport runs. Any thread."""
        return self._is_playing

    @property
    def device(self) -> str:
        """Which device ticks, as the port is called; empty before the first. Any thread."""
        return self._device

    def receive(self, message: Sequence[int], time_ns: int, device: str = "") -> None:
        """Take in one system message (its bytes; time.monotonic_ns). What is none of the clock's is passed over."""
        if not message:
            return
        with self._lock:
            is_silent = time_ns - self._line.last_ns > self._silence_ns()
            if device != self._device:
                if message[0] not in FIRST_WORDS or (self._line.count and not is_silent):
                    return
                self._device = device
                self._forget()
            if message[0] == TICK:
                self._tick(time_ns, is_silent)
            else:
                self._transport(message)

    def lead(self, now_ns: int) -> Lead | None:
        """The beat as heard; None before half a beat of ticks and after a silence."""
        with self._lock:
            line = self._line
            if line.gap_ns < NOT_FASTER_NS or now_ns - line.last_ns > self._silence_ns():
                return None
            bpm = MINUTE_NS / (line.gap_ns * TICKS_PER_BEAT)
            number = line.number_at(now_ns)
            confidence = min(1.0, line.count / QUICK_TICKS) * max(0.0, 1.0 - line.spread_ns / line.gap_ns)
            if self._first_number is None:  # ticks alone say how fast, not where the beat is
                return Lead(BeatLine(now_ns, number / TICKS_PER_BEAT, bpm), confidence, 1 / TICKS_PER_BEAT)
            beat = (number - self._first_number + self._song_ticks) / TICKS_PER_BEAT
            return Lead(BeatLine(now_ns, beat, bpm), confidence, BEATS_PER_BAR)

    def begin(self, line: BeatLine) -> None:
        """Do nothing: what is heard is heard all the time."""

    def end(self) -> None:
        """Do nothing."""

    def propose(self, line: BeatLine) -> bool:
        """Say no: MIDI clock goes one way."""
        return False

    def _tick(self, time_ns: int, is_silent: bool) -> None:
        if self._line.count and is_silent:
            self._line.clear()
            if not self._is_starting:
                self._first_number = None
        if self._is_starting:
            self._is_starting = False
            self._first_number = self._line.next_number
        self._line.add(time_ns)

    def _transport(self, message: Sequence[int]) -> None:
        if message[0] == START:
            self._song_ticks = 0
            self._is_starting = self._is_playing = True
        elif message[0] == CONTINUE:
            self._is_starting = self._is_playing = True
        elif message[0] == STOP:
            if self._is_playing and self._first_number is not None:
                self._song_ticks += self._line.next_number - self._first_number
                self._first_number = self._line.next_number
            self._is_playing = self._is_starting = False
        elif message[0] == SONG_POSITION and len(message) == 3:
            self._song_ticks = (message[1] | message[2] << 7) * TICKS_PER_SONG_STEP
            if self._first_number is not None:
                self._first_number = self._line.next_number

    def _silence_ns(self) -> float:
        return SILENT_NS + SILENT_GAPS * self._line.gap_ns

    def _forget(self) -> None:
        self._line.clear()
        self._first_number = None
        self._song_ticks = 0
        self._is_starting = self._is_playing = False
