"""The one door every hand goes through: panels, OSC, MIDI and looks change the instrument here.

Sorts what is moved into values (the store) and commands (the queue). Knows nothing of devices, widgets or engines.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.messages import Command
from engine.parameter import Parameter, Value
from engine.params import COMMANDS
from vj.commands import CommandQueue
from vj.parameters import TRIGGERS, Move, ParameterStore, UnknownAddressError, find_parameter

ADDRESS_ROOT = "/vj/"
CROSSFADED_WEIGHTS = ("/vj/prompt/1/weight", "/vj/prompt/2/weight")
# texts the engine needs time for: (address, command, its arguments)
_ENGINE_TEXTS = (
    (re.compile(r"/vj/prompt/(\d+)/text"), "prompt/text", ("pad", "text")),
    (re.compile(r"/vj/lora/(\d+)/file"), "lora/file", ("slot", "file")),
    (re.compile(r"/vj/vace/ref/(\d+)/file"), "reference/file", ("slot", "file")),
)

_ENGINE_COMMANDS = frozenset(parameter.address for parameter in COMMANDS)


@dataclass(frozen=True)
class Press:
    """One press of a trigger that the instrument answers itself."""

    address: str
    source: str
    at_ns: int | None  # when its effect is to be seen (time.monotonic_ns); None = now


Action = Callable[[Press], None]
Gate = Callable[[Press], bool]  # takes a press to let it through later (`Controls.fire`), or says no


class _Firing(threading.local):
    press: Press | None = None  # whose action runs on this thread: what it presses in its turn has waited already


class Controls:
    """Values into the store, presses and texts into the queue. Any thread may call any method; none waits long."""

    def __init__(self, store: ParameterStore, commands: CommandQueue) -> None:
        self.store = store
        self.commands = commands
        # a text is a value and a command: both must be seen in the same order by everyone
        self._text_lock = threading.Lock()
        self._presses: dict[str, Move] = {}
        self._actions: dict[str, Action] = {}
        self._gate: Gate | None = None
        self._firing = _Firing()

    def answer(self, address: str, action: Action) -> None:
        """Let a trigger that is no command of the engine's do `action`, on the thread of whoever presses it.

        The action must not wait. One answer per trigger: the last one given holds. Raises UnknownAddressError.
        """
        if address not in TRIGGERS or address in _ENGINE_COMMANDS:
            raise UnknownAddressError(address, TRIGGERS.keys() - _ENGINE_COMMANDS)
        self._actions[address] = action

    def wait_at(self, gate: Gate) -> None:
        """Offer every press without a time of its own to `gate` first; it must not wait itself."""
        self._gate = gate

    def set(self, address: str, value: object, source: str) -> Value:
        """Move one parameter to `value` in native units; return what is held now.

        A trigger fires when the value means "press". Raises UnknownAddressError, or ValueError when the value has no
        sensible reading.
        """
        parameter = find_parameter(address)
        if parameter.kind == "trigger":
            is_pressed = bool(parameter.coerce(value))
            if is_pressed:
                self.trigger(address, source)
            return is_pressed
        return self.set_many({address: value}, source)[address]

    def set_normalised(self, address: str, position: float, source: str) -> Value:
        """Move a continuous parameter to a fader position 0..1, through its curve."""
        return self.set(address, _float_parameter(address).from_normalised(position), source)

    def set_many(self, values: Mapping[str, object], source: str) -> dict[str, Value]:
        """Move several values at once (one version), then ask for the texts among them. Raises as `set` does."""
        texts = [address for address in values if is_engine_text(address)]
        if not texts:
            return self.store.set_many(values, source)
        with self._text_lock:
            before = self.store.snapshot()
            held = self.store.set_many(values, source)
            for address in texts:
                # a text that already plays asks for nothing; controllers repeat themselves at 60 Hz
                if held[address] != before[address]:
                    self._ask_for_text(address, held[address])
        return held

    def trigger(self, address: str, source: str, at_ns: int | None = None) -> Command | None:
        """Press a trigger, never merged: a command of the engine's (returned), or an action of the instrument's.

        `at_ns` is a presentation time; None = now, or when the gate lets it through (then nothing is returned).
        Raises UnknownAddressError for an address that is no trigger.
        """
        if address not in TRIGGERS:
            raise UnknownAddressError(address, TRIGGERS)
        press = Press(address, source, at_ns)
        self._presses[address] = Move(source, time.monotonic_ns())
        is_free = at_ns is not None or self._gate is None or self._firing.press is not None
        if not is_free and self._gate(press):
            return None
        return self.fire(press)

    def fire(self, press: Press) -> Command | None:
        """Do what a press asks for, past the gate, and so does whatever it presses in its turn."""
        if press.address in _ENGINE_COMMANDS:
            return self.commands.put(press.address.removeprefix(ADDRESS_ROOT), at_ns=press.at_ns)
        if action := self._actions.get(press.address):
            outer, self._firing.press = self._firing.press, press
            try:
                action(press)
            finally:
                self._firing.press = outer
        return None

    def moved_by(self, address: str) -> Move | None:
        """Say who set this value or pressed this trigger last; None while nobody has."""
        return self._presses.get(address) or self.store.moved_by(address)

    def crossfade(self, position: float, source: str) -> None:
        """Share the blend between pads 1 and 2: 0 = pad 1 alone, 1 = pad 2 alone. The weights stay the only truth."""
        share = min(1.0, max(0.0, position))
        self.set_many(dict(zip(CROSSFADED_WEIGHTS, (1.0 - share, share), strict=True)), source)

    def crossfader_position(self) -> float:
        """Read the crossfader back from the weights of pads 1 and 2; 0 when both are silent."""
        first, second = (float(self.store.get(address)) for address in CROSSFADED_WEIGHTS)
        return second / (first + second) if first + second > 0.0 else 0.0

    def _ask_for_text(self, address: str, text: Value) -> None:
        self.commands.put(*text_command(address, text))


def is_engine_text(address: str) -> bool:
    """Whether a text at this address is a command of the engine's besides a value."""
    return any(pattern.fullmatch(address) for pattern, _, _ in _ENGINE_TEXTS)


def text_command(address: str, text: Value) -> tuple[str, dict[str, Value]]:
    """Name and arguments of the command that asks the engine for a text. `is_engine_text` must hold."""
    for pattern, name, (number_key, text_key) in _ENGINE_TEXTS:
        if match := pattern.fullmatch(address):
            return name, {number_key: int(match[1]), text_key: text}
    raise UnknownAddressError(address)


def _float_parameter(address: str) -> Parameter:
    parameter = find_parameter(address)
    if parameter.kind != "float":
        raise ValueError(f"{address} is of kind {parameter.kind} and has no fader position; set its value instead")
    return parameter
