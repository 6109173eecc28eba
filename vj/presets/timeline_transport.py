"""Plays a timeline: play, stop, rewind, and the chase of MIDI time code.

Seconds run by themselves; beats and bars are those of the clock, whatever becomes of its tempo. Knows nothing of files.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.parameter import Value
from vj.parameters import PARAMETERS
from vj.presets.looks import SEED_ADDRESS
from vj.presets.params import PresetParams
from vj.presets.prompt_mixing import BLEND_ADDRESS
from vj.presets.recall import AT_ONCE, Duration, Recall
from vj.presets.timeline import CHUNK_S, Timeline, TimelineCue

SECOND_NS = 1_000_000_000
FURTHEST_AHEAD_S = 30.0  # no generator takes longer: a cut further away is not asked about
JUMP_S = 0.5  # time code further away than this from where it should be was moved by hand


class Timecode(Protocol):
    """What a timeline asks of a master's time code. Any thread; never waits."""

    def position_s(self, now_ns: int) -> float | None:
        """Seconds since 00:00:00:00; None before anything came."""
        ...

    def is_running(self, now_ns: int) -> bool:
        """Whether the master moves."""
        ...


@dataclass(frozen=True)
class TimelineStatus:
    """Where the timeline stands, for panels and OSC. Positions are in the timeline's unit."""

    name: str = ""  # empty = none is loaded
    is_playing: bool = False
    is_chasing: bool = False
    position: float = 0.0
    length: float | None = None
    unit: str = "seconds"
    cue: int = 0  # number of the cue played last, 1..; 0 = none
    cues: int = 0


class TimelineTransport:
    """Any thread may call any method but `tick`, which belongs to the conductor; none waits long."""

    def __init__(
        self, recall: Recall, beat_at: Callable[[int], float], now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Answer /vj/timeline/play, stop and rewind. `beat_at` gives beats at a moment of time.monotonic_ns()."""
        self._recall = recall
        self._controls = recall.controls
        self._beat_at = beat_at
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._timecode: Timecode | None = None
        self._timeline: Timeline | None = None
        self._next = 0  # index of the first cue not played
        self._position = 0.0  # in its unit, while it stands still
        self._began: float | None = None  # reading of its time where position 0 was; None = it stands still
        self._lead_s: Callable[[float], float] = lambda left_s: 0.0
        self._sent = -1  # index of a cue whose cut is on its way already
        self._waits_for: Callable[[], bool] | None = None
        self._blend_back: tuple[int, Value] | None = None  # when the blend mode of a fade ends, and what holds then
        for name, action in {
            "play": lambda press: self.play(press.at_ns),
            "stop": lambda press: self.stop(),
            "rewind": lambda press: self.rewind(press.at_ns),
        }.items():
            self._controls.answer(f"/vj/timeline/{name}", action)

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def timeline(self) -> Timeline | None:
        """What is loaded."""
        return self._timeline

    @property
    def status(self) -> TimelineStatus:
        """Where it stands now."""
        with self._lock:
            timeline = self._timeline
            if timeline is None:
                return TimelineStatus()
            return TimelineStatus(
                timeline.name,
                self._began is not None,
                self._is_chasing(),
                max(0.0, self._position_at(self._now_ns())),
                timeline.length,
                timeline.unit,
                self._next,
                len(timeline.cues),
            )

    # -- the hand ------------------------------------------------------------------------------------------------

    def load(self, timeline: Timeline | None, position: float = 0.0) -> None:
        """Take over a timeline and stand still at a position in its unit. What plays goes on as it is."""
        with self._lock:
            self._timeline = timeline
            self._position, self._began, self._waits_for, self._sent = position, None, None, -1
            cues = timeline.cues if timeline is not None and position > 0.0 else ()
            self._next = sum(cue.at <= position for cue in cues)

    def follow(self, timecode: Timecode) -> None:
        """Let this time code be chased while /vj/timeline/chase is on."""
        with self._lock:
            self._timecode = timecode

    def lead_cuts(self, lead_s: Callable[[float], float]) -> None:
        """Send hard cuts ahead, so that they are seen at their time.

        `lead_s` says how many seconds ahead a cut must be sent that is so many seconds away. Never waits.
        """
        self._lead_s = lead_s

    def play(self, at_ns: int | None = None) -> None:
        """Play from where it stands; from the beginning if it was over. `at_ns` is when to begin, None = now."""
        with self._lock:
            if self._timeline is None or self._began is not None:
                return
            if self._is_over():
                self._next, self._position, self._sent = 0, 0.0, -1
            self._began = self._read(self._now_ns() if at_ns is None else at_ns) - self._position

    def play_when(self, is_ready: Callable[[], bool]) -> None:
        """Set the first cue now and let time run from the moment `is_ready` says so."""
        with self._lock:
            self._waits_for = is_ready if self._timeline is not None else None

    def stop(self) -> None:
        """Stand still. Fades that run arrive where they go."""
        with self._lock:
            self._position, self._began, self._waits_for = self._position_at(self._now_ns()), None, None

    def rewind(self, at_ns: int | None = None) -> None:
        """Go back to the beginning: goes on playing from there, or stands there."""
        with self._lock:
            self._next, self._position, self._sent = 0, 0.0, -1
            if self._began is not None:
                self._began = self._read(self._now_ns() if at_ns is None else at_ns)

    def locate(self, position: float) -> None:
        """Go to a position in its unit, 0 or later; everything is there as if it had been played up to it."""
        with self._lock:
            if self._timeline is not None:
                self._locate(max(0.0, position))

    # -- the conductor -------------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Play what is due. Called about 100 times a second."""
        with self._lock:
            if self._blend_back is not None and now_ns >= self._blend_back[0]:
                self._end_blend()
            if self._timeline is None:
                return
            if self._waits_for is not None and not self._begin_when_ready(now_ns):
                return
            if self._is_chasing():
                self._chase(now_ns)
            elif self._began is not None:
                self._play_up_to(self._position_at(now_ns))
                self._send_cut_ahead(self._position_at(now_ns), now_ns)
                if self._is_over():
                    self._position, self._began = self._position_at(now_ns), None

    # -- under the lock ------------------------------------------------------------------------------------------

    def _begin_when_ready(self, now_ns: int) -> bool:
        if self._next == 0:
            self._play_up_to(0.0)
        if not self._waits_for():
            return False
        self._waits_for = None
        self._began = self._read(now_ns) - self._position
        return True

    def _is_chasing(self) -> bool:
        params = PresetParams.from_values(self._controls.store.snapshot())
        return params.is_chasing and self._timecode is not None

    def _chase(self, now_ns: int) -> None:
        """Stand where the master stands: play on while it runs on, go there when it was moved."""
        position_s = self._timecode.position_s(now_ns)
        if position_s is None:
            return
        unit_s = self._timeline.unit_s
        position = position_s / unit_s
        is_running = self._timecode.is_running(now_ns)
        is_moved = not -JUMP_S <= (position - self._position) * unit_s <= JUMP_S
        if is_moved:
            self._locate(position)
        elif is_running:
            self._play_up_to(position)
            self._send_cut_ahead(position, now_ns)
        self._position = position
        self._began = self._read(now_ns) - position if is_running else None

    def _locate(self, position: float) -> None:
        values: dict[str, Value] = {}
        self._next, self._sent = 0, -1
        for cue in self._timeline.cues:
            if cue.at <= position:
                values |= self._values_of(cue)
                self._next += 1
        self._position = position
        if self._began is not None:
            self._began = self._read(self._now_ns()) - position
        if values:
            self._recall.play(values, self._source, AT_ONCE)

    def _play_up_to(self, position: float) -> None:
        cues = self._timeline.cues
        while self._next < len(cues) and cues[self._next].at <= position:
            cue = cues[self._next]
            values = self._values_of(cue)
            self._next += 1
            self._play(cue, values)

    def _send_cut_ahead(self, position: float, now_ns: int) -> None:
        """Let the generator begin the stream of a hard cut to come; what acts at display rate waits for its time."""
        cues = self._timeline.cues
        if not 0 < self._next < len(cues) or self._sent == self._next:
            return
        cue = cues[self._next]
        left_s = self._recall.seconds(self._duration(cue.at - position))
        if cue.cut != "hard" or cue.fade or cue.fade_chunks or left_s > FURTHEST_AHEAD_S:
            return
        if left_s > self._lead_s(left_s):
            return
        self._sent = self._next
        values = self._values_of(cue)
        early = {address: value for address, value in values.items() if PARAMETERS[address].clock != "frame"}
        self._recall.play(early, self._source, AT_ONCE)
        self._controls.trigger("/vj/cut/hard", self._source, now_ns + round(left_s * SECOND_NS))

    def _play(self, cue: TimelineCue, values: Mapping[str, Value]) -> None:
        # before the first cue there is nothing to fade from
        fade = AT_ONCE if self._next == 1 else self._fade(cue)
        is_sent = self._sent == self._next - 1
        if is_sent:  # its cut and what the generator needs for it
            values = {address: value for address, value in values.items() if PARAMETERS[address].clock == "frame"}
        seconds = self._recall.seconds(fade)
        if self._blend_back is not None:
            self._end_blend()
        blend = values.get(BLEND_ADDRESS, self._controls.store.get(BLEND_ADDRESS))
        # values first: a new stream begins with them
        self._recall.play(values, self._source, fade, "linear")
        if seconds > 0.0 and cue.fade_blend and cue.fade_blend != blend:
            self._blend_back = (self._now_ns() + round(seconds * SECOND_NS), blend)
            self._recall.play({BLEND_ADDRESS: cue.fade_blend}, self._source, AT_ONCE)
        if cue.cut and not is_sent:
            self._controls.trigger(f"/vj/cut/{cue.cut}", self._source)

    def _end_blend(self) -> None:
        _, blend = self._blend_back
        self._blend_back = None
        self._recall.play({BLEND_ADDRESS: blend}, self._source, AT_ONCE)

    def _values_of(self, cue: TimelineCue) -> dict[str, Value]:
        is_first = cue is self._timeline.cues[0]
        seed = self._timeline.seed
        return ({SEED_ADDRESS: seed} if is_first and seed is not None else {}) | dict(cue.values)

    def _is_over(self) -> bool:
        """Whether nothing is left: past its length, or without one past its last cue."""
        timeline = self._timeline
        if self._next < len(timeline.cues):
            return False
        return timeline.length is None or self._position_at(self._now_ns()) >= timeline.length

    def _position_at(self, now_ns: int) -> float:
        return self._position if self._began is None else self._read(now_ns) - self._began

    def _read(self, now_ns: int) -> float:
        """Return the time that carries the timeline, in its unit."""
        beats = self._timeline.unit_beats if self._timeline is not None else None
        return now_ns / SECOND_NS if beats is None else self._beat_at(now_ns) / beats

    def _duration(self, length: float) -> Duration:
        """Return a length in the timeline's unit."""
        beats = self._timeline.unit_beats
        return Duration(length) if beats is None else Duration(length * beats, is_beats=True)

    def _fade(self, cue: TimelineCue) -> Duration:
        return Duration(cue.fade_chunks * CHUNK_S) if cue.fade_chunks else self._duration(cue.fade)

    @property
    def _source(self) -> str:
        return f"timeline {self._timeline.name}"
