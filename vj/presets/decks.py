"""Two decks, A and B: one is on air, the other is armed with a look, filled ahead by the engine, and cut or faded in.

Any thread may call any method but `tick`, which belongs to the conductor. Knows nothing of windows, pipes or frames.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from engine.messages import Command, GeneratorStatus
from engine.parameter import Value
from vj.controls import Controls, Press
from vj.output.decks import Take
from vj.parameters import PARAMETERS
from vj.presets.deck_params import CUT_ADDRESS, DISARM_ADDRESS, FADE_ADDRESS, DeckParams, arm_address
from vj.presets.look_shelf import LookShelf
from vj.presets.looks import group_of
from vj.presets.params import LOOK_SLOTS
from vj.presets.transitions import SOURCE_WORD as TRANSITION_WORD

SOURCE_WORD = "deck"
DECKS = ("A", "B")


@dataclass(frozen=True)
class Armed:
    """What the free deck is to play. Frozen: the generator thread reads it as it is."""

    serial: int  # of the arming, from 1
    name: str  # of the look
    title: str
    values: Mapping[str, Value]  # of the look, locked groups left out; all else is as on air
    preroll_s: float


@dataclass(frozen=True)
class DeckStatus:
    """Where the decks stand, for panels."""

    on_air: str  # A or B
    title: str = ""  # of the look the free deck is armed with; empty = none
    ready_s: float = 0.0  # seconds of it that lie ready
    is_ready: bool = False  # a cut waits for nothing
    is_taken: bool = False  # ordered on air
    problem: str = ""


def free_deck(on_air: str) -> str:
    """Name of the deck that is not on air."""
    return DECKS[1 - DECKS.index(on_air)]


@dataclass(frozen=True)
class _Landing:
    """A deck on its way on air."""

    armed: Armed
    at_ns: int
    command: Command
    has_cut: bool = False  # what acts on the output has been set


class Decks:
    """Answers the deck triggers. The look's values come into the store under the name `deck NAME`.

    What acts on the output moves with the cut; what chunks are made with once the engine has gone over, so that
    the deck before never gets it. A value that a hand has moved since the cut stays where the hand put it.
    """

    def __init__(
        self,
        controls: Controls,
        shelf: LookShelf,
        locked_groups: Callable[[], frozenset[str]],
        generator: Callable[[], GeneratorStatus],
        tell: Callable[[str], None],
    ) -> None:
        """`tell` takes sentences for the performer."""
        self._controls = controls
        self._shelf = shelf
        self._locked_groups = locked_groups
        self._generator = generator
        self._tell = tell
        self._lock = threading.Lock()
        self._serial = 0
        self._armed: Armed | None = None
        self._landing: _Landing | None = None
        self._next: str = ""  # look to arm once the deck on its way is on air
        self._on_air = 0
        self._told_problem = ""
        self._show_take: Callable[[Take], None] = lambda take: None
        self._ring = ""
        for n in range(1, LOOK_SLOTS + 1):
            controls.answer(arm_address(n), lambda press, n=n: self._arm_pressed(n, press))
        controls.answer(CUT_ADDRESS, lambda press: self.take(press, 0.0))
        controls.answer(FADE_ADDRESS, lambda press: self.take(press, self._params().fade_s))
        controls.answer(DISARM_ADDRESS, lambda press: self.disarm())

    def show_on(self, show_take: Callable[[Take], None], ring: str) -> None:
        """Let an output carry the takes out; `ring` is where the ring on air lies."""
        self._show_take, self._ring = show_take, ring

    @property
    def armed(self) -> Armed | None:
        """What the engine is to fill ahead; it stays until the engine has gone over. Never waits."""
        return self._armed

    @property
    def status(self) -> DeckStatus:
        """Where the decks stand. Never waits."""
        armed, landing, generator = self._armed, self._landing, self._generator()
        on_air = DECKS[self._on_air]
        if armed is None or (landing is not None and landing.has_cut):
            return DeckStatus(on_air)
        if generator.deck_serial != armed.serial:
            return DeckStatus(on_air, armed.title, is_taken=landing is not None)
        is_ready = generator.deck_is_ready
        return DeckStatus(on_air, armed.title, generator.deck_s, is_ready, landing is not None, generator.deck_problem)

    def arm(self, name: str) -> None:
        """Arm the free deck with a look by name. Raises UnknownLookError."""
        look = self._shelf.look(name)
        locked = self._locked_groups()
        values = {address: value for address, value in look.values.items() if group_of(address) not in locked}
        with self._lock:
            if self._landing is not None:
                self._next = name
                return
            self._serial += 1
            self._armed = Armed(self._serial, name, look.name, values, self._params().preroll_s)

    def disarm(self) -> None:
        """Forget what the free deck was armed with; one that is on its way on air stays so."""
        with self._lock:
            self._next = ""
            if self._landing is None:
                self._armed = None

    def take(self, press: Press, fade_s: float) -> None:
        """Put the free deck on air at the press's moment: its frames if they lie ready, else as a hard cut comes."""
        with self._lock:
            armed = self._armed
            if armed is None or self._landing is not None:
                if armed is None:
                    self._tell("the free deck is not armed: arm it with a look first")
                return
            generator = self._generator()
            is_ready = generator.deck_serial == armed.serial and generator.deck_is_ready
            at_ns = press.at_ns or time.monotonic_ns()
            if is_ready:
                self._show_take(Take(generator.deck_stream_id, at_ns, fade_s))
            arguments: dict[str, Value] = {"serial": armed.serial, "ring": self._ring}
            command = self._controls.commands.put("deck/take", arguments, at_ns if is_ready else press.at_ns)
            self._landing = _Landing(armed, at_ns, command)

    def tick(self, now_ns: int) -> None:
        """Set the look's values when their moment has come."""
        self._tell_problem()
        landing = self._landing
        if landing is None or now_ns < landing.at_ns:
            return
        if not landing.has_cut:
            landing = self._landing = replace(landing, has_cut=True)
            self._on_air = 1 - self._on_air
            self._set(landing, is_for_chunks=False)
        if landing.command in self._controls.commands.pending():
            return  # the engine still makes chunks of the deck before
        self._set(landing, is_for_chunks=True)
        with self._lock:
            self._armed = self._landing = None
            following, self._next = self._next, ""
        if following in self._shelf.looks:
            self.arm(following)

    def _set(self, landing: _Landing, *, is_for_chunks: bool) -> None:
        values = {}
        for address, value in landing.armed.values.items():
            move = self._controls.store.moved_by(address)
            is_the_hands = (
                move is not None and move.time_ns > landing.at_ns and not move.source.startswith(TRANSITION_WORD)
            )
            if (PARAMETERS[address].clock == "chunk") == is_for_chunks and not is_the_hands:
                values[address] = value
        if values:
            self._controls.set_many(values, f"{SOURCE_WORD} {landing.armed.name}")

    def _tell_problem(self) -> None:
        problem = self._generator().deck_problem
        if problem != self._told_problem:
            self._told_problem = problem
            if problem:
                self._tell(problem)

    def _arm_pressed(self, slot: int, press: Press) -> None:
        name = self._shelf.slots[slot - 1]
        if name:
            self.arm(name)
        else:
            self._tell(f"look slot {slot} is empty ({press.source})")

    def _params(self) -> DeckParams:
        return DeckParams.from_values(self._controls.store.snapshot())
