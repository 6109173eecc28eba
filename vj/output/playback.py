"""Playback clock: which frame of the stream is due now, at content rate, whatever the generator's bursts look like.

Positions are frame numbers with a fraction. Knows nothing of rings, pixels or windows; time is handed in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

LONGEST_STEP_S = 0.25  # a display that slept longer plays on from where it was: re-anchored, never fast-forwarded
CREEP_FRAMES = 2.0  # this close to the newest frame the clock slows down instead of stopping dead
CREEP_SLOWEST = 0.05  # share of the rate kept while creeping, so that the last blend still ends
SLEW_LIMIT = 0.03  # at content rate: below what an eye sees as a change of speed
SLOW_SLEW_LIMIT = 0.10  # below content rate: damps the search for the generator's own rate
SEARCH_STEP = 0.02  # of the rate, per chunk, while searching
RECOVERY_STEP = 0.10  # of the rate, per chunk, while more than enough is in hand
RESERVE_S = 0.2  # seconds of frames wanted in hand at the moment a new chunk arrives
PLENTY = 1.5  # times that reserve: the generator is no longer what limits
MEASURED_CHUNKS = 3  # the rate after an underrun is frames over time across these
RATE_CHANGE_S = 0.7  # time constant with which the rate follows its target
SLOWEST_SHARE = 0.02  # of content rate: even one chunk a minute is played as motion


@dataclass(frozen=True)
class PlaybackStatus:
    """What the output is doing, for the status strip. Frozen; polled from any thread."""

    is_streaming: bool = False  # a frame of the engine has been shown
    is_starved: bool = False  # the newest frame is on screen and the next one is late
    buffered_frames: int = 0  # frames ready and not yet shown
    repeats: int = 0  # frames that were due while nothing newer was there, since the start
    display_fps: float = 0.0
    playback_fps: float = 0.0  # content frames played per second
    stream_id: int = 0  # of the frame on screen
    frame_index: int = 0  # of the frame on screen, since the last hard cut
    rate_fps: float = 0.0  # content rate
    generation_id: int = 0  # chunk the frame on screen came from
    params_version: int = 0  # store version that chunk was made with
    switched_ns: int = 0  # refresh at which the stream on screen was switched to (time.monotonic_ns)
    state: str = ""  # what is seen: live, waiting, fallback, freeze or blackout, as the stage says; empty = not known
    shown_after_s: float = 0.0  # from the making of the chunk on screen until its first frame was shown
    input_latency_s: float = 0.0  # from an input's frame coming until the stream's frame of it is lit; 0 = no input


class PlaybackClock:
    """Turns display refreshes into stream positions. Owned by the thread that draws; never waits."""

    def __init__(self) -> None:
        self.position = 0.0
        self.rate_fps = 0.0
        self.is_starved = False
        self._content_fps = 0.0
        self._base_fps = 0.0  # content rate, or the rate a slow generator keeps up with
        self._target_fps = 0.0  # the base, slewed by what is in hand
        self._now_ns: int | None = None
        self._stretch_ns: int | None = None
        self._missed_frames = 0.0
        self._chunks: deque[tuple[int, float]] = deque(maxlen=MEASURED_CHUNKS)  # frames, seconds

    @property
    def repeats(self) -> int:
        """Frames that were due and not there, since the clock was made."""
        return int(self._missed_frames)

    def anchor(self, now_ns: int, position: float, content_fps: float) -> None:
        """Play on from `position`. The speed is kept when the content rate is the same (a hard cut is no stall)."""
        if content_fps != self._content_fps:
            self.rate_fps = self._target_fps = self._base_fps = self._content_fps = content_fps
        self.position = position
        self._now_ns = now_ns
        self.is_starved = False

    def forget_rate(self) -> None:
        """Drop what was measured of the generator: another one writes now."""
        self._chunks.clear()
        self.rate_fps = self._target_fps = self._base_fps = self._content_fps = 0.0

    def note_chunk(self, frames: int, interval_s: float, reserve_frames: float) -> None:
        """Take a chunk into account: its frames, seconds since the chunk before, frames that were left unplayed.

        A generator that waits for the display arrives at the display's own pace, so the interval alone cannot tell a
        slow one from a waiting one; what is left in hand can.
        """
        self._chunks.append((frames, interval_s))
        wanted = RESERVE_S * self._content_fps
        error = max(-1.0, min(1.0, (reserve_frames - wanted) / wanted))
        if reserve_frames >= frames:
            self._base_fps = self._content_fps
        elif reserve_frames >= PLENTY * wanted:
            self._base_fps *= 1.0 + RECOVERY_STEP
        else:
            self._base_fps *= 1.0 + SEARCH_STEP * error
        if reserve_frames < wanted / 2:
            self._base_fps = min(self._base_fps, self._measured_fps())
        # the ring holds a faster generator back: never hurry
        slowest = SLOWEST_SHARE * self._content_fps
        self._base_fps = min(max(self._base_fps, slowest), self._content_fps)
        is_slow = self._base_fps < self._content_fps * (1.0 - SLEW_LIMIT)
        slew = (SLOW_SLEW_LIMIT if is_slow else SLEW_LIMIT) * error
        self._target_fps = min(self._base_fps * (1.0 + slew), self._content_fps)

    def stretch_until(self, until_ns: int | None) -> None:
        """Make what is in hand last until a moment (time.monotonic_ns): the stream after it waits for it. None = no."""
        self._stretch_ns = until_ns

    def advance(self, now_ns: int, last: int) -> float:
        """Move on to `now_ns`, at most to frame `last`, and return the position."""
        elapsed_s = 0.0 if self._now_ns is None else (now_ns - self._now_ns) / 1e9
        self._now_ns = now_ns
        elapsed_s = min(max(elapsed_s, 0.0), LONGEST_STEP_S)
        self.rate_fps += (self._target_fps - self.rate_fps) * min(1.0, elapsed_s / RATE_CHANGE_S)
        due_frames = elapsed_s * self.rate_fps
        left_frames = max(0.0, last - self.position)
        if self._stretch_ns is not None and self._stretch_ns > now_ns:
            due_frames = min(due_frames, elapsed_s * left_frames * 1e9 / (self._stretch_ns - now_ns))
        ease = min(1.0, max(CREEP_SLOWEST, left_frames / CREEP_FRAMES))
        step_frames = min(due_frames * ease, left_frames)
        self._missed_frames += due_frames - step_frames
        self.is_starved = left_frames < CREEP_FRAMES / 2
        self.position += step_frames
        return self.position

    def _measured_fps(self) -> float:
        seconds = sum(interval for _, interval in self._chunks)
        return sum(frames for frames, _ in self._chunks) / seconds if seconds > 0 else self._content_fps
