"""OSC messages become moves of the instrument, whichever way they came.

Knows nothing of sockets; what cannot be played is counted and told, never raised.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engine.parameter import Value
from vj.controllers.events import OSC, ControlEvent
from vj.controllers.osc.addresses import RAW_SUFFIX, TARGETS, OscTarget, find_targets
from vj.controllers.osc.batch import Batch, Heard, Sender
from vj.controllers.osc.endpoint import SHOWN_CHARACTERS
from vj.controllers.osc.packet import encode_message
from vj.controllers.osc.reading import is_press, is_query, position_of, read_value
from vj.controllers.osc.template import Alias
from vj.controls import ADDRESS_ROOT, Controls
from vj.parameters import UnknownAddressError

BOUNCE_NS = 15_000_000  # presses of one trigger by one source closer than this are one press
CONTROLS_HEARD = 1024  # addresses of no meaning that are taken for controls; a flood of random ones is none


@dataclass(frozen=True)
class OscWords:
    """What is understood besides our own addresses."""

    aliases: Mapping[str, Alias] = field(default_factory=dict)  # other programs' addresses
    services: Mapping[str, Callable[[Heard], None]] = field(default_factory=dict)  # answered on the playing thread
    play_event: Callable[[ControlEvent], object] | None = None  # takes what has none of our addresses, as a control

    def new_batch(self) -> Batch:
        """Make a batch that knows all these addresses."""
        return Batch({**{address: alias.target for address, alias in self.aliases.items()}, **TARGETS})


@dataclass(frozen=True)
class _UnknownMessage:
    """An address nothing answers to; the suggestion is looked up when it is shown, not for every message of a flood."""

    address: str
    source: str

    @cached_property
    def sentence(self) -> str:
        """One line with the nearest address there is; looking for it takes a moment, so it is done once."""
        return f"{self.source}: {UnknownAddressError(self.address[:SHOWN_CHARACTERS])}"


class OscPlayer:
    """Plays messages through the one door. Belongs to one thread; any may read what it counts."""

    def __init__(
        self,
        controls: Controls,
        words: OscWords,
        answer: Callable[[bytes, Sender], None],
        name_source: Callable[[Sender], str] = lambda sender: f"osc {sender[0]}",
    ) -> None:
        """`answer` sends a packet back to who asked; `name_source` is what the instrument calls a mover."""
        self.unknown = 0  # messages no address answers to
        self.refused = 0  # messages whose argument has no sensible reading, NaN included
        self._controls = controls
        self._words = words
        self._answer = answer
        self._name_source = name_source
        self._last_heard: Heard | None = None
        self._last_problem: str | _UnknownMessage = ""
        self._controls_heard: set[str] = set()
        self._asked: dict[str, Value] = {}  # values of one source that are stored together
        self._asked_source = ""

    @property
    def last_message(self) -> str:
        """Address and arguments of the newest message, shortened."""
        return _show(self._last_heard) if self._last_heard else ""

    @property
    def last_problem(self) -> str:
        """What was wrong last: one sentence, or nothing."""
        problem = self._last_problem
        return problem if isinstance(problem, str) else problem.sentence

    def note_problem(self, sentence: str) -> None:
        """Tell of something that was no message at all."""
        self._last_problem = sentence

    def play(self, messages: Iterable[Heard]) -> None:
        """Play messages in order."""
        for heard in messages:
            self._last_heard = heard
            self._play(heard)
        self._store()

    def _play(self, heard: Heard) -> None:
        source = self._name_source(heard.sender)
        service = self._words.services.get(heard.address)
        if service is not None:
            service(heard)
            return
        alias = self._words.aliases.get(heard.address)
        if alias is not None:
            source = f"{source} {alias.template}"
        targets = find_targets(heard.address) if alias is None else (alias.target,)
        if not targets:
            self._play_unknown(heard, source)
        if source != self._asked_source:
            self._store()
            self._asked_source = source
        for target in targets:
            try:
                self._move(target, heard, source)
            except ValueError as error:
                self.refused += 1
                self._last_problem = f"{source}: {error}"

    def _play_unknown(self, heard: Heard, source: str) -> None:
        """Take the address for a control that a mapping may know; under our own root it is a mistake."""
        number = _position(heard)
        is_control = number is not None and not heard.address.startswith(ADDRESS_ROOT)
        if is_control and len(self._controls_heard) < CONTROLS_HEARD:
            self._controls_heard.add(heard.address)
        if self._words.play_event is None or not is_control or heard.address not in self._controls_heard:
            self.unknown += 1
            self._last_problem = _UnknownMessage(heard.address, source)
            return
        self._store()
        self._words.play_event(ControlEvent(OSC, f"{OSC}{heard.address}", number, time.monotonic_ns()))

    def _move(self, target: OscTarget, heard: Heard, source: str) -> None:
        address = target.address
        if target.parameter.kind == "trigger":
            if is_press(heard.arguments) and not self._is_bounce(address, source):
                self._store()
                self._controls.trigger(address, source)
        elif is_query(heard.arguments):
            self._store()
            self._tell(target, heard.sender)
        else:
            held = self._asked[address] if address in self._asked else self._controls.store.get(address)
            self._asked[address] = read_value(target, heard.arguments, held)

    def _is_bounce(self, address: str, source: str) -> bool:
        """Whether the same source pressed this a moment ago: no hand is that fast."""
        move = self._controls.moved_by(address)
        return move is not None and move.source == source and time.monotonic_ns() - move.time_ns < BOUNCE_NS

    def _store(self) -> None:
        """Set what was asked for since the last press, in one version."""
        if self._asked:
            asked, self._asked = self._asked, {}
            self._controls.set_many(asked, self._asked_source)

    def _tell(self, target: OscTarget, sender: Sender) -> None:
        """Answer with the value held, at the address that was meant."""
        held = self._controls.store.get(target.address)
        is_raw = target.parameter.kind == "float" and not target.is_position
        address = target.address + RAW_SUFFIX if is_raw else target.address
        self._answer(encode_message(address, held if isinstance(held, str) else position_of(target, held)), sender)


def _position(heard: Heard) -> float | None:
    """Read an argument as a position 0..1; none at all is a press. None for what is no number."""
    if not heard.arguments:
        return 1.0
    first = heard.arguments[0]
    is_number = isinstance(first, int | float) and first == first
    return min(1.0, max(0.0, float(first))) if is_number else None


def _show(heard: Heard) -> str:
    words = (f"{value:g}" if isinstance(value, float) else str(value)[:SHOWN_CHARACTERS] for value in heard.arguments)
    return " ".join((heard.address[:SHOWN_CHARACTERS], *words))[:SHOWN_CHARACTERS]
