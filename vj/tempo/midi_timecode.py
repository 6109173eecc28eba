"""MIDI time code: quarter frames and full frames become a position that a timeline can chase.

Knows bytes and times; knows nothing of ports or timelines.
"""

from __future__ import annotations

import statistics
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

QUARTER_FRAME = 0xF1
FULL_FRAME_HEAD = (0xF0, 0x7F)  # then the device, then:
FULL_FRAME_KIND = (0x01, 0x01)
FULL_FRAME_BYTES = 10
PIECES = 8
RATES_FPS = (24.0, 25.0, 30000 / 1001, 30.0)  # by the two bits of the hours
DROP_FRAME_RATE = 2
STILL_NS = 150_000_000  # without a quarter frame: the master has stopped
KEPT_POINTS = 9  # whole times, each every two frames; their median stands against jitter
JUMP_S = 0.08  # further than this from where it was expected: the master has been moved
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Timecode:
    """Hours, minutes, seconds and frames at one of the four rates (index into RATES_FPS)."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    rate: int

    @property
    def position_s(self) -> float:
        """Seconds of real time since 00:00:00:00."""
        whole_s = (self.hours * 60 + self.minutes) * 60 + self.seconds
        if self.rate != DROP_FRAME_RATE:
            return whole_s + self.frames / RATES_FPS[self.rate]
        minutes = self.hours * 60 + self.minutes
        dropped = 2 * (minutes - minutes // 10)  # two numbers are left out each minute but every tenth
        return (whole_s * 30 + self.frames - dropped) / RATES_FPS[self.rate]


class TimecodeFollower:
    """Where the master's time code stands. Any thread may call any method; none waits long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: dict[int, int] = {}
        self._newest_piece: int | None = None
        self._first_ns = 0  # when piece 0 of the pieces held came
        self._heard_ns = 0  # the last quarter frame
        self._speed = 1  # -1 = backwards
        self._starts: deque[float] = deque(maxlen=KEPT_POINTS)  # position minus elapsed time, in s
        self._still_s: float | None = None  # where the master stands, as told by a full frame or by its last words
        self._timecode: Timecode | None = None

    @property
    def timecode(self) -> Timecode | None:
        """The last whole time that came; None before the first."""
        return self._timecode

    def receive(self, message: Sequence[int], time_ns: int) -> None:
        """Take in one system message (its bytes; time.monotonic_ns). What is no time code is passed over."""
        with self._lock:
            if len(message) == 2 and message[0] == QUARTER_FRAME:
                self._quarter(message[1] >> 4 & 7, message[1] & 15, time_ns)
            elif _is_full_frame(message):
                hours, minutes, seconds, frames = message[5:9]
                self._timecode = Timecode(hours & 31, minutes & 63, seconds & 63, frames & 31, hours >> 5 & 3)
                self._still_s = self._timecode.position_s
                self._starts.clear()
                self._forget_pieces()

    def position_s(self, now_ns: int) -> float | None:
        """Seconds since 00:00:00:00 at a moment; stands still while the master does; None before anything came."""
        with self._lock:
            if not self._starts:
                return self._still_s
            until_ns = min(now_ns, self._heard_ns + STILL_NS) if self._is_still(now_ns) else now_ns
            return max(0.0, statistics.median(self._starts) + self._speed * until_ns / SECOND_NS)

    def is_running(self, now_ns: int) -> bool:
        """Whether the master moves, forwards or backwards."""
        with self._lock:
            return bool(self._starts) and not self._is_still(now_ns)

    def _is_still(self, now_ns: int) -> bool:
        return now_ns - self._heard_ns > STILL_NS

    def _quarter(self, piece: int, value: int, time_ns: int) -> None:
        before = self._newest_piece
        if self._is_still(time_ns):
            self._starts.clear()
            before = None
        self._heard_ns, self._newest_piece = time_ns, piece
        speed = _direction(before, piece)
        if before is None or speed is None or speed != self._speed:
            # the first piece, a lost one or another direction: begin a whole time anew
            if speed is not None and speed != self._speed:
                self._speed = speed
                self._starts.clear()
            self._pieces.clear()
        if piece == 0:
            self._first_ns = time_ns
        if piece == (0 if self._speed > 0 else PIECES - 1):
            self._pieces.clear()
        self._pieces[piece] = value
        if len(self._pieces) == PIECES:
            self._take_whole_time()

    def _take_whole_time(self) -> None:
        value = [self._pieces[2 * k] | self._pieces[2 * k + 1] << 4 for k in range(4)]
        self._pieces.clear()
        self._timecode = Timecode(value[3] & 31, value[2] & 63, value[1] & 63, value[0] & 31, value[3] >> 5 & 3)
        # the time is that of the moment at which piece 0 was sent
        start = self._timecode.position_s - self._speed * self._first_ns / SECOND_NS
        if self._starts and abs(start - statistics.median(self._starts)) > JUMP_S:
            self._starts.clear()
        self._starts.append(start)

    def _forget_pieces(self) -> None:
        self._pieces.clear()
        self._newest_piece = None


def _direction(before: int | None, piece: int) -> int | None:
    if before is None:
        return None
    return {1: 1, PIECES - 1: -1}.get((piece - before) % PIECES)


def _is_full_frame(message: Sequence[int]) -> bool:
    return (
        len(message) == FULL_FRAME_BYTES
        and tuple(message[:2]) == FULL_FRAME_HEAD
        and tuple(message[3:5]) == FULL_FRAME_KIND
    )
