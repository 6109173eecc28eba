"""The cue list: what comes next at the press of one button, and the way back.

Knows nothing of files or windows. The pointers are the parameters /vj/cue/current and /vj/cue/next and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.parameter import Value
from vj.controls import Press
from vj.parameters import PARAMETERS
from vj.presets.look_shelf import LookShelf, UnknownLookError
from vj.presets.params import CUES_MAX, CURRENT_CUE_ADDRESS, NEXT_CUE_ADDRESS, PresetParams
from vj.presets.recall import AT_ONCE, Duration, Recall

SECOND_NS = 1_000_000_000
GO_ADDRESS, HARD_CUT_ADDRESS = "/vj/cue/go", "/vj/cut/hard"
CUTS = ("hard", "soft")
SOON_NS = 20_000_000  # two steps of the conductor: a press dated nearer than this plays at once


class Beat(Protocol):
    """What the list asks of the clock. Any thread; never waits."""

    def beat_at(self, time_ns: int) -> float:
        """Beats since the origin at a moment of time.monotonic_ns()."""
        ...

    def time_of_beat(self, beat: float) -> int:
        """When a beat falls, as far as is known now."""
        ...


@dataclass(frozen=True)
class ListedCue:
    """One line of the list: a look, values of its own, or both; its own values win."""

    name: str
    look: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)  # address -> native units
    fade: Duration | None = None  # None = the transition time as it is set then
    follow: Duration | None = None  # how long after this cue the next one plays by itself; None = when asked
    cut: str = ""  # "hard" or "soft": a new stream, or a new sink
    note: str = ""


@dataclass(frozen=True)
class _Dated:
    """A cue that plays at its moment; its hard cut and what that needs are on their way."""

    at_ns: int
    number: int
    source: str


@dataclass(frozen=True)
class CueListStatus:
    """Where the list stands, for panels."""

    current: int  # number of the cue played last, 1..; 0 = none
    next: int  # number of the cue that go plays; one past the last = none
    follows_at_ns: int | None  # when the next one plays by itself (time.monotonic_ns)


class CueList:
    """Any thread may call any method but `tick`, which belongs to the conductor; none waits long. Numbers count from 1.

    Back plays what all cues up to the one before add up to, so that nothing of the cue left stays behind.
    """

    def __init__(
        self,
        recall: Recall,
        shelf: LookShelf,
        tell: Callable[[str], None],
        clock: Beat,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Answer /vj/cue/go and /vj/cue/back."""
        self._recall = recall
        self._controls = recall.controls
        self._shelf = shelf
        self._tell = tell
        self._clock = clock
        self._now_ns = now_ns
        self._lock = threading.RLock()
        self._cues: tuple[ListedCue, ...] = ()
        self._dated: _Dated | None = None
        self._follow: tuple[float, bool] | None = None  # when the next one plays: ns of the clock, or its beat
        self.version = 0  # counts changes of the list
        self._controls.answer(GO_ADDRESS, self._go_pressed)
        self._controls.answer("/vj/cue/back", lambda press: self.back(press.source))

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def cues(self) -> tuple[ListedCue, ...]:
        """The list now; never changes again."""
        return self._cues

    @property
    def status(self) -> CueListStatus:
        """Where the list stands."""
        values = self._controls.store.snapshot()
        return CueListStatus(int(values[CURRENT_CUE_ADDRESS]), int(values[NEXT_CUE_ADDRESS]), self._follows_at_ns())

    def cut_brought_by(self, address: str) -> str:
        """Name the hard cut that a press of this trigger would bring along; empty = none."""
        number = self.status.next
        is_go = address == GO_ADDRESS and 1 <= number <= len(self._cues)
        return HARD_CUT_ADDRESS if is_go and self._cues[number - 1].cut == "hard" else ""

    # -- playing -------------------------------------------------------------------------------------------------

    def go(self, source: str, at_ns: int | None = None) -> None:
        """Play the next cue; after the last one nothing happens but a sentence. `at_ns` is its moment, None = now.

        The hard cut of a cue to come is sent at once, dated, with what the generator needs for it.
        """
        with self._lock:
            number = self.status.next
            if number <= len(self._cues) and at_ns is not None and at_ns - self._now_ns() > SOON_NS:
                self._dated = _Dated(at_ns, number, source)
                self._send_cut_ahead(self._cues[number - 1], at_ns)
                return
        self._play_next(source, at_ns)

    def _play_next(self, source: str, at_ns: int | None) -> None:
        with self._lock:
            self._dated = None
            number = self.status.next
            if number > len(self._cues):
                self._follow = None
                self._tell("the cue list is over" if self._cues else "the cue list is empty")
                return
            cue = self._cues[number - 1]
            self._play(number, self._values(cue), cue.fade, source)
            self._follow = self._follow_moment(cue)
        if cue.cut:
            self._controls.trigger(f"/vj/cut/{cue.cut}", f"cue {cue.name}", at_ns)

    def back(self, source: str) -> None:
        """Return to the cue before the current one, over the transition time; nothing happens before the second."""
        with self._lock:
            number = min(self.status.current, len(self._cues) + 1) - 1
            if number < 1:
                return
            values: dict[str, Value] = {}
            for cue in self._cues[:number]:
                values |= self._values(cue)
            self._play(number, values, None, source)
            self._follow = None  # whoever goes back wants to stay there

    def tick(self, now_ns: int) -> None:
        """Play a cue that follows by itself when it is due."""
        dated = self._dated
        if dated is not None and now_ns >= dated.at_ns:
            self._play_dated(dated)
        due_ns = self._follows_at_ns()
        if due_ns is not None and now_ns >= due_ns:
            self._play_next("cue list", now_ns)  # dated: it has its time and waits for no beat

    # -- editing -------------------------------------------------------------------------------------------------

    def replace_all(self, cues: tuple[ListedCue, ...]) -> None:
        """Take over a whole list and stand before its first cue."""
        with self._lock:
            self._set(cues[:CUES_MAX])
            self._stand(0, 1)

    def insert(self, number: int, cue: ListedCue) -> None:
        """Put a cue before number `number`; one past the last appends. Raises ValueError for any other place."""
        with self._lock:
            if not 1 <= number <= len(self._cues) + 1:
                raise ValueError(f"a cue cannot go to place {number}: places are 1 to {len(self._cues) + 1}")
            if len(self._cues) >= CUES_MAX:
                raise ValueError(f"the cue list is full: {CUES_MAX} cues")
            status = self.status
            self._set((*self._cues[: number - 1], cue, *self._cues[number - 1 :]))
            # the pointers stay with their cues; a cue put right before the next one is the next
            self._stand(status.current + (status.current >= number), status.next + (status.next > number))

    def remove(self, number: int) -> None:
        """Take a cue out of the list. Raises ValueError for a number that is none."""
        with self._lock:
            self._check(number)
            status = self.status
            self._set(self._cues[: number - 1] + self._cues[number:])
            self._stand(status.current - (status.current >= number), status.next - (status.next > number))

    def move(self, number: int, to: int) -> None:
        """Move a cue so that its number is `to` afterwards. Raises ValueError for numbers that are none."""
        with self._lock:
            self._check(number)
            self._check(to)
            cues = list(self._cues)
            cues.insert(to - 1, cues.pop(number - 1))
            places = list(range(1, len(cues) + 1))
            places.insert(to - 1, places.pop(number - 1))
            status = self.status
            current, following = (
                places.index(place) + 1 if place in places else place for place in (status.current, status.next)
            )
            self._set(tuple(cues))
            self._stand(current, following)

    def rewrite(self, number: int, cue: ListedCue) -> None:
        """Put another cue in the place of one: renamed, re-timed, anything. Raises ValueError."""
        with self._lock:
            self._check(number)
            self._set((*self._cues[: number - 1], cue, *self._cues[number:]))

    # -- under the lock ------------------------------------------------------------------------------------------

    def _go_pressed(self, press: Press) -> None:
        self.go(press.source, press.at_ns)

    def _send_cut_ahead(self, cue: ListedCue, at_ns: int) -> None:
        if cue.cut != "hard":
            return
        if self._arrives_at_once(cue):
            early = {address: v for address, v in self._values(cue).items() if PARAMETERS[address].clock != "frame"}
            self._recall.play(early, f"cue {cue.name}", AT_ONCE)
        self._controls.trigger(HARD_CUT_ADDRESS, f"cue {cue.name}", at_ns)

    def _play_dated(self, dated: _Dated) -> None:
        with self._lock:
            self._dated = None
            if self.status.next != dated.number or dated.number > len(self._cues):
                return  # the list was moved on meanwhile
            cue = self._cues[dated.number - 1]
            values = self._values(cue)
            if cue.cut == "hard" and self._arrives_at_once(cue):
                values = {address: v for address, v in values.items() if PARAMETERS[address].clock == "frame"}
            self._play(dated.number, values, cue.fade, dated.source)
            self._follow = self._follow_moment(cue)
        if cue.cut and cue.cut != "hard":
            self._controls.trigger(f"/vj/cut/{cue.cut}", f"cue {cue.name}", dated.at_ns)

    def _arrives_at_once(self, cue: ListedCue) -> bool:
        if cue.fade is not None:
            return cue.fade.amount <= 0.0
        return PresetParams.from_values(self._controls.store.snapshot()).transition_time <= 0.0

    def _play(self, number: int, values: Mapping[str, Value], fade: Duration | None, source: str) -> None:
        self._recall.play(values, f"cue {self._cues[number - 1].name or number}", fade)
        self._controls.set_many({CURRENT_CUE_ADDRESS: number, NEXT_CUE_ADDRESS: number + 1}, source)

    def _values(self, cue: ListedCue) -> dict[str, Value]:
        values: dict[str, Value] = {}
        if cue.look:
            try:
                values |= self._shelf.look(cue.look).values
            except UnknownLookError as error:
                self._tell(f"cue {cue.name}: {error}")
        return values | dict(cue.values)

    def _follow_moment(self, cue: ListedCue) -> tuple[float, bool] | None:
        if cue.follow is None:
            return None
        now_ns = self._now_ns()
        if cue.follow.is_beats:
            return self._clock.beat_at(now_ns) + cue.follow.amount, True
        return now_ns + cue.follow.amount * SECOND_NS, False

    def _follows_at_ns(self) -> int | None:
        follow = self._follow
        if follow is None:
            return None
        moment, is_beat = follow
        return self._clock.time_of_beat(moment) if is_beat else round(moment)

    def _set(self, cues: tuple[ListedCue, ...]) -> None:
        self._cues = cues
        self.version += 1

    def _stand(self, current: int, following: int) -> None:
        count = len(self._cues)
        values = {CURRENT_CUE_ADDRESS: min(current, count), NEXT_CUE_ADDRESS: max(1, min(following, count + 1))}
        self._controls.set_many(values, "cue list")

    def _check(self, number: int) -> None:
        if not 1 <= number <= len(self._cues):
            raise ValueError(f"there is no cue {number}: the list has {len(self._cues)}")
