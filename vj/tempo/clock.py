"""The beat: one clock that everything musical reads, led by the hand, MIDI clock, Link or the sound.

Knows the parameters of the clock and whoever may lead it by a small protocol; knows nothing of ports or devices.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from vj.controls import Controls, Press
from vj.tempo.beat_line import MINUTE_NS, BeatLine
from vj.tempo.params import BPM_ADDRESS, TempoParams
from vj.tempo.tap import TapTempo

BEATS_PER_BAR = 4
ONE_WAY = ("midi", "sound")  # sources whose tempo no hand can set
NUDGE_NS = 10_000_000  # per press
SLEW_NS = 100_000_000  # a correction smaller than half a beat is spread over this, so that nothing jumps
FOLLOW_NS = 400_000_000  # a leader's corrections are spread over this
JUMP_BEATS = 0.5  # a leader further away than this is joined at once
EXACT_BEATS = 1e-4  # less is no correction worth a bend
WRITE_EVERY_NS = 250_000_000  # a leader's tempo wavers: the store is not told each time
SHOWN_BPM_STEP = 0.01  # a leader's tempo is written to the store when it moved this much
CLOSE_BEATS = 1e-6  # a boundary this near counts as reached


@dataclass(frozen=True)
class Lead:
    """What a leader says the beat is."""

    line: BeatLine  # straight
    confidence: float  # 0..1
    beats_mean: float = 1.0  # beat numbers are true modulo this: 1 = only the phase is known, 4 = the bar as well
    peers: int = 0


class Leader(Protocol):
    """A source the clock can follow. Asked by any thread; no method waits long."""

    def begin(self, line: BeatLine) -> None:
        """Somebody follows from now on; `line` is the beat until now."""
        ...

    def end(self) -> None:
        """Nobody follows any more."""
        ...

    def lead(self, now_ns: int) -> Lead | None:
        """The beat as heard; None while nothing is heard. Never waits."""
        ...

    def propose(self, line: BeatLine) -> bool:
        """Take over a beat set by hand; False when this source cannot be moved. Never waits."""
        ...


@dataclass(frozen=True)
class ClockState:
    """The clock at a moment. `source` is who really leads: `internal` while the chosen one is not heard."""

    bpm: float
    line: BeatLine
    beats_per_bar: int = BEATS_PER_BAR
    source: str = "internal"
    confidence: float = 1.0
    peers: int = 0


class Clock:
    """Beats since the origin. Any thread may call any method; readers never wait, writers only for each other.

    `tick` belongs to the conductor. Beat 0 modulo 4 is the first of a bar.
    """

    def __init__(self, controls: Controls, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._controls = controls
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._tap = TapTempo()
        self._leaders: dict[str, Leader] = {}
        self._source = "internal"  # chosen; may be silent
        self._factor = 1.0  # of a leader's beats: half and double
        self._shift_beats = 0.0  # added to a leader's beats: nudge, tap and resync
        self._written_ns = 0
        self._known_bpm = float(controls.store.get(BPM_ADDRESS))  # in the store, as last read or written
        self._state = ClockState(self._known_bpm, BeatLine(now_ns(), 0.0, self._known_bpm))
        for address, action in {
            "/vj/clock/tap": lambda press: self.tap(_moment(press, now_ns)),
            "/vj/clock/resync": lambda press: self.resync(_moment(press, now_ns)),
            "/vj/clock/half": lambda press: self.multiply(0.5, press.source),
            "/vj/clock/double": lambda press: self.multiply(2.0, press.source),
            "/vj/clock/nudge/forward": lambda press: self.nudge(NUDGE_NS),
            "/vj/clock/nudge/back": lambda press: self.nudge(-NUDGE_NS),
        }.items():
            controls.answer(address, action)

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def state(self) -> ClockState:
        """The clock now; never changes again. Never waits."""
        return self._state

    @property
    def source(self) -> str:
        """The source that was chosen, whether it is heard or not. Never waits."""
        return self._source

    def beat_at(self, time_ns: int) -> float:
        """Beats since the origin at a moment of time.monotonic_ns()."""
        return self._state.line.beat_at(time_ns)

    def time_of_beat(self, beat: float) -> int:
        """When a beat falls, in ns of time.monotonic_ns(), as far as is known now."""
        return self._state.line.time_of_beat(beat)

    def next_boundary(self, beats: float, not_before_ns: int) -> int:
        """First moment from `not_before_ns` on that is a multiple of `beats`; `beats` > 0 (1 = beat, 4 = bar)."""
        line = self._state.line
        count = math.ceil((line.beat_at(not_before_ns) - CLOSE_BEATS) / beats)
        return max(not_before_ns, line.time_of_beat(count * beats))

    # -- the hand ------------------------------------------------------------------------------------------------

    def tap(self, time_ns: int) -> None:
        """Put a beat here; from the fourth tap of a series on, set the tempo."""
        with self._lock:
            if not self._tap.tap(time_ns):
                return
            state, bpm = self._state, self._tap.bpm
            if bpm is None or state.source in ONE_WAY:
                bpm = state.bpm
            line = state.line.with_tempo(bpm, time_ns)
            self._move_to(line.moved(round(line.beat) - line.beat))
        self._write_bpm("clock tap")

    def resync(self, time_ns: int) -> None:
        """Make this moment the first beat of a bar. Beats are skipped, never repeated."""
        with self._lock:
            line = self._state.line
            bars = math.ceil((line.beat_at(time_ns) - CLOSE_BEATS) / BEATS_PER_BAR)
            self._move_to(BeatLine(time_ns, float(bars * BEATS_PER_BAR), line.bpm), is_jump=True)

    def nudge(self, ahead_ns: int) -> None:
        """Move the beat so many ns ahead (negative: back); the tempo stays."""
        with self._lock:
            line = self._state.line
            self._move_to(line.moved(ahead_ns * line.bpm / MINUTE_NS))

    def multiply(self, factor: float, source: str) -> None:
        """Make `factor` beats of each one, from the next bar on, so that every bar still begins on a bar.

        In a Link session from now on, for everyone. A tempo outside the parameter's range is refused: nothing changes.
        """
        with self._lock:
            state, now_ns = self._state, self._now_ns()
            bpm = state.bpm * factor
            if self._controls.store.parameters[BPM_ADDRESS].coerce(bpm) != bpm:
                return
            if state.source == "link":
                line = state.line.with_tempo(bpm, now_ns)
            else:
                bar_ns = self.next_boundary(BEATS_PER_BAR, now_ns)
                target = BeatLine(bar_ns, round(state.line.beat_at(bar_ns)), state.line.bpm * factor)
                line = state.line.bent_to(target, now_ns, bar_ns)
            if state.source in ONE_WAY:
                self._factor *= factor
            self._state = replace(state, bpm=bpm, line=line)
            self._keep_shift(now_ns)
            self._propose()
        self._write_bpm(source)

    # -- the conductor -------------------------------------------------------------------------------------------

    def follow(self, source: str, leader: Leader) -> None:
        """Let `leader` lead while /vj/clock/source is `source`."""
        with self._lock:
            self._leaders[source] = leader

    def tick(self, now_ns: int) -> None:
        """Take in what the store says and where the leader is. Called about 100 times a second."""
        params = TempoParams.from_values(self._controls.store.snapshot())
        with self._lock:
            if params.source != self._source:
                self._change_source(params.source)
            if params.bpm != self._known_bpm:
                self._known_bpm = params.bpm
                line = self._state.line.with_tempo(params.bpm, now_ns)
                self._state = replace(self._state, bpm=params.bpm, line=line)
                self._propose()
            leader = self._leaders.get(self._source)
            lead = leader.lead(now_ns) if leader is not None else None
            if lead is None:
                self._state = replace(self._state, source="internal", confidence=1.0, peers=0)
            else:
                self._go_with(lead, now_ns)
        if abs(self._state.bpm - self._known_bpm) > 1.0 or now_ns - self._written_ns > WRITE_EVERY_NS:
            self._written_ns = now_ns
            self._write_bpm(f"clock {self._source}")

    def _change_source(self, source: str) -> None:
        if leader := self._leaders.get(self._source):
            leader.end()
        self._source, self._factor, self._shift_beats = source, 1.0, 0.0
        if leader := self._leaders.get(source):
            leader.begin(self._state.line.moved(0.0))

    def _go_with(self, lead: Lead, now_ns: int) -> None:
        line = self._state.line
        target = lead.line.multiplied(self._factor).moved(self._shift_beats)
        period = lead.beats_mean * self._factor
        committed = line.moved(0.0).beat_at(now_ns)  # where a bend that runs is going
        error = target.beat_at(now_ns) - committed
        error -= period * round(error / period)
        if abs(error) > JUMP_BEATS:
            moved = BeatLine(now_ns, committed + error % period, target.bpm)  # beats are skipped, never repeated
        else:
            follow_ns = FOLLOW_NS if abs(error) > EXACT_BEATS else 0
            straight = BeatLine(now_ns, committed + error, target.bpm)
            moved = line.bent_to(straight, now_ns, max(line.straight_ns, now_ns + follow_ns))
        self._state = replace(
            self._state,
            bpm=target.bpm,
            line=moved,
            source=self._source,
            confidence=lead.confidence,
            peers=lead.peers,
        )

    # -- under the lock ------------------------------------------------------------------------------------------

    def _move_to(self, target: BeatLine, is_jump: bool = False) -> None:
        """Go over to a line set by hand; a leader's beats are shifted along."""
        now_ns = self._now_ns()
        line = target if is_jump else self._state.line.bent_to(target, now_ns, now_ns + SLEW_NS)
        self._state = replace(self._state, bpm=target.bpm, line=line)
        self._keep_shift(now_ns)
        self._propose()

    def _keep_shift(self, now_ns: int) -> None:
        leader = self._leaders.get(self._source)
        lead = leader.lead(now_ns) if leader is not None else None
        if lead is not None:
            straight = self._state.line.moved(0.0)
            self._shift_beats = straight.beat_at(now_ns) - lead.line.multiplied(self._factor).beat_at(now_ns)

    def _propose(self) -> None:
        leader = self._leaders.get(self._source)
        if leader is not None and leader.propose(self._state.line.moved(0.0)):
            self._shift_beats = 0.0

    def _write_bpm(self, source: str) -> None:
        """Say in the store what the tempo is, when it is not what the store said or was told last."""
        with self._lock:
            bpm = round(self._state.bpm, 2)
            if abs(bpm - self._known_bpm) < SHOWN_BPM_STEP:
                return
            # inside the lock: a tick in between would take the old value for a hand's
            self._known_bpm = float(self._controls.set(BPM_ADDRESS, bpm, source))


def _moment(press: Press, now_ns: Callable[[], int]) -> int:
    return now_ns() if press.at_ns is None else press.at_ns
