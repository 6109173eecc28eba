"""A film in a file, played by its own time: loop, speed, in and out points, all while it plays.

Knows nothing of who looks at it.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import av

from vj.inputs.params import InputParams
from vj.inputs.sources.container import Decoder, Opening
from vj.inputs.sources.pacing import LONGEST_WAIT_S, NS_PER_S, MediaClock
from vj.inputs.sources.source import Picture, SourceError, SourceFacts

ASSUMED_RATE_FPS = 25.0  # of a file that says nothing
LONGEST_GAP_S = 10.0  # between two frames; a longer one is a break in the file's times
SKIP_S = 0.05  # how long is decoded at a stretch towards an in point


@dataclass(frozen=True)
class _Next:
    frame: av.VideoFrame
    media_s: float


class ClipSource:
    """One file."""

    keeps = True

    def __init__(self, path: Path, settings: InputParams) -> None:
        """Open it at its in point. Raises SourceError."""
        self._path = path
        self._written = _identity(path)
        self._decoder = Decoder(Opening(str(path)), path.name)
        stream, container = self._decoder.stream, self._decoder.container
        self._frame_s = 1.0 / (self._decoder.rate_fps or ASSUMED_RATE_FPS)
        self._start_s = (container.start_time or 0) / av.time_base
        self.facts = SourceFacts(
            path.name,
            stream.width,
            stream.height,
            self._decoder.rate_fps,
            (container.duration or 0) / av.time_base,
        )
        self.is_held = False
        self.position_s = 0.0
        self._clock = MediaClock()
        self._ready: deque[_Next] = deque()  # decoded and not yet due
        self._decoded_s = -self._frame_s  # media time of the frame decoded last
        self._is_first = True  # of the frames decoded since the last jump
        self._shift_s = 0.0  # added to the file's times since they jumped
        self._skip_to_s = 0.0  # frames before it are decoded and left out
        self._is_new = False  # nothing was decoded since the last jump
        self._is_playing = True
        self._in_s = self._in_point(settings)
        self._is_after_end = False
        self._jump(self._in_s)

    def read(self, settings: InputParams) -> Picture | None:
        """Wait for the next picture's moment, but not long."""
        self._follow(settings)
        stands_still = not self._is_playing or (self._is_after_end and not settings.loop)
        if stands_still and not self._is_new:  # one that was never shown is shown first
            return self._hold()
        if not self._ready and not self._decode():
            return None
        if not self._ready or self._is_past(settings):
            return self._turn(settings)
        if not self._clock.wait_for(self._ready[0].media_s):
            return None
        due = self._ready.popleft()
        picture, self.position_s = Picture(due.frame, time.monotonic_ns(), self._decoder.pixel_aspect), due.media_s
        self._is_new, self.is_held = False, not self._is_playing
        return picture

    def close(self) -> None:
        """Let go of the file."""
        self._decoder.close()

    def _follow(self, settings: InputParams) -> None:
        """Take up what a hand has moved."""
        now_ns = time.monotonic_ns()
        self._clock.set_speed(settings.speed, now_ns)
        if settings.play and not self._is_playing:
            self._clock.set(self._ready[0].media_s if self._ready else self.position_s, now_ns)
        self._is_playing = settings.play
        in_s = self._in_point(settings)
        if in_s != self._in_s:
            self._in_s = in_s
            if self.position_s < self._in_s:
                self._jump(self._in_s)

    def _hold(self) -> None:
        self.is_held = True
        time.sleep(LONGEST_WAIT_S)

    def _decode(self) -> bool:
        """Decode the next frame; False when that has to go on later, True with none of them at the end."""
        until_ns = time.monotonic_ns() + round(SKIP_S * NS_PER_S)
        while (frames := self._decoder.next_frames()) is not None:
            for frame in frames:
                if (media_s := self._media_s(frame)) >= self._skip_to_s - self._frame_s / 2:
                    self._ready.append(_Next(frame, media_s))
            if self._ready:
                return True
            if time.monotonic_ns() > until_ns:
                return False
        return True

    def _in_point(self, settings: InputParams) -> float:
        """In point, on the last picture at the latest."""
        length_s = self.facts.length_s
        return min(settings.in_s, max(0.0, length_s - 2 * self._frame_s)) if length_s else settings.in_s

    def _media_s(self, frame: av.VideoFrame) -> float:
        """Media time of a frame from 0. Frames that do not say, and times that jump, follow the one before evenly."""
        following_s = self._decoded_s + self._frame_s
        media_s = frame.time - self._start_s + self._shift_s if frame.time is not None else following_s
        if not self._is_first and not 0.0 <= media_s - self._decoded_s <= LONGEST_GAP_S:
            self._shift_s += following_s - media_s
            media_s = following_s
        self._decoded_s, self._is_first = media_s, False
        return media_s

    def _is_past(self, settings: InputParams) -> bool:
        has_out = settings.out_s > self._in_s
        return has_out and self._ready[0].media_s >= settings.out_s - self._frame_s / 2

    def _turn(self, settings: InputParams) -> None:
        """Go on at the in point, or hold the last picture."""
        if self._is_new and not self._ready:
            raise SourceError(f"{self.facts.name} has no picture that can be read from {self._in_s:g} s on")
        if not settings.loop:
            self._is_after_end, self._is_new, self.is_held = True, False, True
            return
        if _identity(self._path) != self._written:
            raise SourceError(f"{self.facts.name} was written anew; it is opened again")
        end_s = self._ready[0].media_s if self._ready else self._decoded_s + self._frame_s
        self._jump(self._in_s, self._clock.due_ns(end_s))

    def _jump(self, to_s: float, at_ns: int | None = None) -> None:
        """Play on from `to_s`, which is due at `at_ns`; None = as soon as it is there."""
        self._ready.clear()
        self._is_new = self._is_first = True
        self._is_after_end, self._shift_s = False, 0.0
        self._skip_to_s, self._decoded_s = to_s, to_s - self._frame_s
        try:
            self._decoder.seek(to_s + self._start_s)
        except SourceError:  # formats without times: from the beginning, decoding up to the in point
            self._decoder.close()
            self._decoder = Decoder(Opening(str(self._path)), self.facts.name)
            self._decoded_s = -self._frame_s
        self._clock.set(to_s, at_ns if at_ns is not None else time.monotonic_ns())


def _identity(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError as error:
        raise SourceError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if path.is_dir():
        raise SourceError(f"{path} is a folder, not a file")
    return about.st_ino, about.st_mtime_ns
