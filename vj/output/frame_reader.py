"""Frame reader: the pair of frames to blend at a given time, out of the ring an engine writes.

Survives a ring that is missing or replaced. Knows nothing of windows, GL, the store or the engine process.
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from engine.frame_ring import Frame, FrameRing
from vj.output.playback import PlaybackClock, PlaybackStatus

LOOK_FOR_RING_NS = 200_000_000  # how often the file is looked at: a new engine makes a new ring at the same path
START_FRAMES = 9  # the first chunk of a stream at the published chunk size
START_WAIT_NS = 1_000_000_000  # a first stream that grows slowly is shown after this, however short
CUT_FRAMES = 5  # a new stream's first frame alone is no motion; the old stream plays on until this many are there
CUT_WAIT_NS = 300_000_000
CROSSFADE_NS = 150_000_000  # between streams: two to three frames at 16 fps
DISPLAY_RATE_REFRESHES = 90  # refreshes the display rate is measured over
SLOWEST_REFRESH_NS = 33_400_000  # no display is slower: longer gaps are a machine that is busy, and end at any moment
REFRESH_GAPS = 9  # the median of these is the display's period; one late refresh does not move it
LONGEST_HOLD_NS = 20_000_000_000  # a stream dated further ahead is not waited for


@dataclass(frozen=True)
class Picture:
    """What to draw now: two frames and how much of the second one."""

    first: Frame
    second: Frame
    share: float  # of `second`, 0..1


class FrameReader:
    """The one reader of a ring file. Every method belongs to the thread that draws; `status` may be read anywhere."""

    def __init__(self, path: Path) -> None:
        self.status = PlaybackStatus()
        self.display_lag_ns = (
            0  # from a refresh until its light, as far as the window knows; set by the thread that draws
        )
        self.cut_ns = 0  # one ring has no other deck to cut to
        self.frame_on_deck: Frame | None = None  # nor one to preview
        self._path: Path | None = path  # None = off air: no newer ring is looked for
        self._left_mark: tuple[int, int] | None = None  # of the ring of the deck that was on air before
        self._last_until_ns: int | None = None  # off air, what is in hand lasts until then
        self._clock = PlaybackClock()
        self._ring: FrameRing | None = None
        self._ring_mark: tuple[int, int] | None = None  # of the file in use
        self._arriving: FrameRing | None = None  # a newer ring whose first frames are awaited
        self._arriving_mark: tuple[int, int] | None = None
        self._looked_ns: int | None = None
        self._stream_id: int | None = None
        self._stream_end: int | None = None  # counter after the stream's last frame, once a newer stream is there
        self._waiting_since_ns: int | None = None
        self._frames: dict[int, Frame] = {}  # copies by counter: the pair on screen
        self._picture: Picture | None = None
        self._before: Frame | None = None  # fades out after a switch
        self._switched_ns = 0
        self._seen = 0  # counter up to which arrivals have been noted
        self._grown_to = 0  # counter up to which they have been seen
        self._reserve_frames = 0.0  # in hand when the arriving chunk began to arrive
        self._chunk: Frame | None = None  # newest frame of the newest chunk noted
        self._refreshes: deque[int] = deque(maxlen=DISPLAY_RATE_REFRESHES)
        self._shown_after_s = 0.0  # of the chunk on screen: from its making until its first frame was shown
        self._input_ns = 0  # when what the frame on screen is painted over came
        self._input_latency_s = 0.0  # from then until the frame was lit

    @property
    def frame_on_screen(self) -> Frame | None:
        """The nearer frame of the pair drawn last, for previews. Any thread; the frame is never changed."""
        picture = self._picture
        if picture is None:
            return None
        return picture.second if picture.share >= 0.5 else picture.first

    def picture_at(self, now_ns: int) -> Picture | None:
        """Move playback on to `now_ns` (time.monotonic_ns) and return what to draw; None until the first stream.

        Call once per display refresh. Never waits; never raises for anything an engine does.
        """
        self._refreshes.append(now_ns)
        self._look_for_ring(now_ns)
        if self._ring is not None:
            self._follow_newest_stream(now_ns)
            if self._stream_id is not None:
                self._play(now_ns)
        self._publish()
        return self._picture

    def fading_at(self, now_ns: int) -> tuple[Picture, float] | None:
        """One ring has no other deck that fades."""
        return None

    @property
    def newest_stream_id(self) -> int:
        """Of the newest frame in the ring; 0 = there is none."""
        ring = self._ring
        return (ring.stream_of(ring.written - 1) or 0) if ring is not None and ring.written else 0

    def look(self, now_ns: int) -> None:
        """Have the ring at hand without playing it. Never waits."""
        self._look_for_ring(now_ns)

    def go_on_air(self, path: Path, before: FrameReader) -> None:
        """Play from the next refresh on, in place of another reader; the ring in use is about to move to `path`."""
        self._path, self._left_mark = path, before._ring_mark
        self._refreshes = before._refreshes.copy()
        # what lay ready did not arrive just now, and the wait says nothing of the generator's speed
        self._seen = self._grown_to = self._ring.written

    def go_off_air(self, last_until_ns: int) -> None:
        """Play what is in hand until a moment, slower if it is little; no newer ring is looked for."""
        self._path, self._last_until_ns = None, last_until_ns

    def close(self) -> None:
        """Let go of the ring. The last picture stays available."""
        for ring in (self._ring, self._arriving):
            if ring is not None:
                ring.close()
        self._ring = self._arriving = None

    def _look_for_ring(self, now_ns: int) -> None:
        if self._path is None:
            return
        if self._looked_ns is None or now_ns - self._looked_ns >= LOOK_FOR_RING_NS:
            self._looked_ns = now_ns
            self._attach_if_new()
        arriving = self._arriving
        if arriving is not None and (self._ring is None or (arriving.written > 0 and self._may_leave(arriving))):
            self._take_over(arriving)

    def _may_leave(self, arriving: FrameRing) -> bool:
        """Whether the newer ring has enough to play, or this one has nothing left."""
        return arriving.written >= START_FRAMES or self._stream_id is None or self._clock.is_starved

    def _attach_if_new(self) -> None:
        try:
            found = self._path.stat()
        except OSError:
            return  # no engine yet, or gone: what is buffered plays on
        mark = (found.st_dev, found.st_ino)  # the inode in use is mapped, so its number is never reused
        if mark in (self._ring_mark, self._arriving_mark, self._left_mark):
            return
        try:
            ring = FrameRing.attach(self._path)
        except (OSError, ValueError):
            return  # half there, or of another version: looked at again shortly
        if self._arriving is not None:
            self._arriving.close()
        self._arriving, self._arriving_mark = ring, mark

    def _take_over(self, ring: FrameRing) -> None:
        if self._ring is not None:
            self._ring.close()
        self._ring, self._ring_mark = ring, self._arriving_mark
        self._arriving = self._arriving_mark = None
        self._before = self._picture.second if self._picture is not None else None
        self._stream_id = self._stream_end = self._chunk = self._waiting_since_ns = None
        self._frames.clear()
        self._seen = self._grown_to = ring.read
        self._clock.forget_rate()

    def _follow_newest_stream(self, now_ns: int) -> None:
        ring = self._ring
        written = ring.written
        self._clock.stretch_until(self._last_until_ns)
        if written <= ring.read:
            return
        newest = ring.stream_of(written - 1)
        if newest is None or newest == self._stream_id:
            return
        if self._waiting_since_ns is None:
            self._waiting_since_ns = now_ns
        if self._stream_id is None:
            self._begin(now_ns, newest, written)
            return
        starts = self._starts_of_newer(written)
        if not starts:
            return
        self._stream_end = starts[0]
        due = [(start, end) for start, end in pairwise((*starts, written)) if self._is_due(now_ns, start, end)]
        if due:
            self._switch(now_ns, due[-1][0])
        elif present_ns := ring.present_ns_of(starts[0]):
            self._clock.stretch_until(present_ns)

    def _begin(self, now_ns: int, newest: int, written: int) -> None:
        """Show the first stream once there is enough of it."""
        first = written - 1
        while first > self._ring.read and self._ring.stream_of(first - 1) == newest:
            first -= 1
        if written - first >= START_FRAMES or now_ns - self._waiting_since_ns >= START_WAIT_NS:
            self._switch(now_ns, first)

    def _is_due(self, now_ns: int, start: int, end: int) -> bool:
        """Whether a newer stream, whose unread frames are start..end, is to be shown from this refresh on."""
        present_ns = self._ring.present_ns_of(start)
        if present_ns and present_ns - now_ns < LONGEST_HOLD_NS:
            # the refresh whose light is nearest to the moment asked for
            return now_ns + self.display_lag_ns + self.refresh_ns() / 2 >= present_ns
        old_left = self._stream_end - 1 - self._clock.position
        waited_ns = now_ns - self._waiting_since_ns
        return end - start >= CUT_FRAMES or waited_ns >= CUT_WAIT_NS or old_left < 1.0

    def refresh_ns(self) -> float:
        """Period of the display, as seen of late; 0 before the second refresh."""
        newest = list(self._refreshes)[-REFRESH_GAPS - 1 :]
        gap_ns = statistics.median(b - a for a, b in pairwise(newest)) if len(newest) > 1 else 0.0
        return min(gap_ns, SLOWEST_REFRESH_NS)

    def _starts_of_newer(self, written: int) -> list[int]:
        """Counter of the first frame of each stream after the playing one, oldest first."""
        starts = []
        playing = self._stream_id
        for counter in range(int(self._clock.position) + 1, written):
            stream_id = self._ring.stream_of(counter)
            if stream_id is not None and stream_id != playing:
                starts.append(counter)
                playing = stream_id
        return starts

    def _switch(self, now_ns: int, first: int) -> None:
        frame = self._ring.peek(first)
        if frame is None:
            return  # overwritten while we looked: the next refresh sees the rest
        if frame.present_ns:
            self._before = None  # a cut on the beat is seen on it, not over the frames after it
            # what waited for its moment did not arrive just now, and the wait says nothing of the generator's speed
            self._seen = self._grown_to = self._ring.written
            self._chunk = None
        elif self._picture is not None:
            self._before = self._picture.second if self._picture.share >= 0.5 else self._picture.first
        self._frames = {first: frame}
        self._stream_id, self._stream_end, self._waiting_since_ns = frame.stream_id, None, None
        self._clock.stretch_until(None)
        self._switched_ns = now_ns
        self._clock.anchor(now_ns, float(first), frame.rate_fps)

    def _play(self, now_ns: int) -> None:
        ring = self._ring
        end = ring.written if self._stream_end is None else self._stream_end
        self._note_arrivals(end)
        position = self._clock.advance(now_ns, end - 1)
        floor = int(position)
        ceil = min(floor + 1, end - 1)
        first, second = self._frame(floor), self._frame(ceil)
        if first is None or second is None:
            return  # should the ring have been overwritten, the last picture stays
        if self._picture is None or first.generation_id != self._picture.first.generation_id:
            self._shown_after_s = (now_ns - first.made_ns) / 1e9
        self._frames = {floor: first, ceil: second}
        ring.release(floor)
        self._picture = self._compose(now_ns, first, second, position - floor)

    def _frame(self, counter: int) -> Frame | None:
        return self._frames.get(counter) or self._ring.peek(counter)

    def _compose(self, now_ns: int, first: Frame, second: Frame, share: float) -> Picture:
        faded = (now_ns - self._switched_ns) / CROSSFADE_NS
        if self._before is None or faded >= 1.0:
            self._before = None
            return Picture(first, second, share)
        if self._before.pixels.shape != first.pixels.shape:
            self._before = None  # another size: nothing to blend pixel by pixel
            return Picture(first, second, share)
        return Picture(self._before, second if share >= 0.5 else first, faded)

    def _note_arrivals(self, end: int) -> None:
        """Tell the clock of each chunk once, when all of it is there: with its time and what was in hand before it."""
        if end > self._grown_to:
            if self._grown_to == self._seen:
                self._reserve_frames = max(0.0, self._seen - self._clock.position)
            self._grown_to = end
            return  # perhaps still being written
        if self._grown_to == self._seen or not self._ring.is_chunk_end(self._grown_to - 1):
            return  # nothing new, or more of the same chunk is to come
        newest = self._ring.peek(self._grown_to - 1)
        if newest is None:
            return
        frames, before = self._grown_to - self._seen, self._chunk
        self._seen, self._chunk = self._grown_to, newest
        if before is not None and newest.generation_id != before.generation_id:
            self._clock.note_chunk(frames, (newest.made_ns - before.made_ns) / 1e9, self._reserve_frames)

    def _publish(self) -> None:
        refreshes = self._refreshes
        span_ns = refreshes[-1] - refreshes[0]
        shown = self.frame_on_screen
        if shown is not None and shown.input_ns != self._input_ns:
            self._input_ns = shown.input_ns
            lit_ns = refreshes[-1] + self.display_lag_ns
            self._input_latency_s = (lit_ns - shown.input_ns) / 1e9 if shown.input_ns else 0.0
        ring, position = self._ring, self._clock.position
        end = 0 if ring is None else (ring.written if self._stream_end is None else self._stream_end)
        is_playing = ring is not None and self._stream_id is not None
        self.status = PlaybackStatus(
            is_streaming=shown is not None,
            is_starved=shown is not None and (not is_playing or self._clock.is_starved),
            buffered_frames=max(0, end - 1 - int(position)) if is_playing else 0,
            repeats=self._clock.repeats,
            display_fps=(len(refreshes) - 1) * 1e9 / span_ns if span_ns > 0 else 0.0,
            playback_fps=self._clock.rate_fps,
            stream_id=0 if shown is None else shown.stream_id,
            frame_index=0 if shown is None else shown.index,
            rate_fps=0.0 if shown is None else shown.rate_fps,
            generation_id=0 if shown is None else shown.generation_id,
            params_version=0 if shown is None else shown.params_version,
            switched_ns=self._switched_ns,
            shown_after_s=self._shown_after_s,
            input_latency_s=self._input_latency_s,
        )
