"""Every parameter of the instrument in one table, and the store that holds their latest values.

Knows nothing of widgets, controllers or engines; addresses in, native units out.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.parameter import Parameter, Value
from engine.params import COMMANDS, ENGINE_PARAMETERS
from engine.preset_table import did_you_mean
from vj.controllers.osc.params import OSC_PARAMETERS
from vj.engine_params import ENGINE_SETTINGS, ENGINE_TRIGGERS
from vj.inputs.params import INPUT_PARAMETERS, INPUT_TRIGGERS
from vj.inputs.still_params import STILL_TRIGGERS
from vj.modulation.params import MODULATION_PARAMETERS
from vj.output.params import OUTPUT_PARAMETERS, OUTPUT_TRIGGERS
from vj.presets.deck_params import DECK_PARAMETERS, DECK_TRIGGERS
from vj.presets.params import PRESET_PARAMETERS, PRESET_TRIGGERS
from vj.recording.params import RECORD_PARAMETERS, RECORD_TRIGGERS
from vj.sharing.params import SHARE_PARAMETERS
from vj.sound.params import SOUND_PARAMETERS
from vj.tempo.params import TEMPO_PARAMETERS, TEMPO_TRIGGERS
from vj.words.params import WORDS_TRIGGERS

PARAMETERS: dict[str, Parameter] = {
    p.address: p
    for p in (
        *ENGINE_PARAMETERS,
        *ENGINE_SETTINGS,
        *INPUT_PARAMETERS,
        *OUTPUT_PARAMETERS,
        *PRESET_PARAMETERS,
        *DECK_PARAMETERS,
        *TEMPO_PARAMETERS,
        *SOUND_PARAMETERS,
        *MODULATION_PARAMETERS,
        *SHARE_PARAMETERS,
        *RECORD_PARAMETERS,
        *OSC_PARAMETERS,
    )
}
"""What holds a value, by address."""

TRIGGERS: dict[str, Parameter] = {
    p.address: p
    for p in (
        *COMMANDS,
        *ENGINE_TRIGGERS,
        *INPUT_TRIGGERS,
        *STILL_TRIGGERS,
        *OUTPUT_TRIGGERS,
        *PRESET_TRIGGERS,
        *DECK_TRIGGERS,
        *TEMPO_TRIGGERS,
        *WORDS_TRIGGERS,
        *RECORD_TRIGGERS,
    )
}
"""What holds none: each press is one command of the engine or one action of the instrument."""

ALL_PARAMETERS: dict[str, Parameter] = PARAMETERS | TRIGGERS

_NUMBER = re.compile(r"\d+")


class UnknownAddressError(ValueError):
    """An address nothing answers to; the sentence names the nearest one that exists."""

    def __init__(self, address: str, known: Iterable[str] = ALL_PARAMETERS) -> None:
        self.address = address
        super().__init__(f"unknown address {address!r}{did_you_mean(address, _alike(address, known))}")


def _alike(address: str, known: Iterable[str]) -> list[str]:
    """Keep the addresses with the same numbers, with none, or the first of a row: not each of sixteen pads.

    Comparing with all of them would take longer than a panel may.
    """
    wanted = (_NUMBER.findall(address), [], ["1"])
    return [one for one in known if _NUMBER.findall(one) in wanted]


def find_parameter(address: str) -> Parameter:
    """Look up a value or a trigger. Raises UnknownAddressError."""
    if address not in ALL_PARAMETERS:
        raise UnknownAddressError(address)
    return ALL_PARAMETERS[address]


@dataclass(frozen=True)
class Move:
    """Who set a value last, and when."""

    source: str  # "osc 127.0.0.1", "midi nanoKONTROL2", "panel", "look deep_sea"
    time_ns: int  # time.monotonic_ns()


@dataclass(frozen=True)
class _State:
    version: int
    values: MappingProxyType[str, Value]  # | copies it as a whole, ** key by key: 15 times slower
    moves: MappingProxyType[str, Move]


class ParameterStore:
    """The latest value of every parameter, in native units. Any thread may call any method.

    Readers take one reference to an immutable state and never wait; writers build the next state under a lock and
    swap it. A value that was never set holds its default and has no mover.
    """

    def __init__(self, parameters: Mapping[str, Parameter] = PARAMETERS) -> None:
        self.parameters = parameters
        defaults = {address: parameter.default for address, parameter in parameters.items()}
        self._state = _State(0, MappingProxyType(defaults), MappingProxyType({}))
        self._write_lock = threading.Lock()

    @property
    def version(self) -> int:
        """Count of swaps that changed a value. Never waits."""
        return self._state.version

    def snapshot(self) -> MappingProxyType[str, Value]:
        """Return all values as they are now; the mapping never changes again. Never waits."""
        return self._state.values

    def versioned_snapshot(self) -> tuple[int, MappingProxyType[str, Value]]:
        """Return version and values of the same moment. Never waits."""
        state = self._state
        return state.version, state.values

    def get(self, address: str) -> Value:
        """Return one value in native units. Never waits. Raises UnknownAddressError."""
        try:
            return self._state.values[address]
        except KeyError:
            raise UnknownAddressError(address, self.parameters) from None

    def moved_by(self, address: str) -> Move | None:
        """Say who set this value last; None while it holds its default. Never waits."""
        return self._state.moves.get(address)

    def set(self, address: str, value: object, source: str) -> Value:
        """Coerce, clamp and store one value; return what is held now.

        Raises UnknownAddressError, or ValueError when the value has no sensible reading.
        """
        return self.set_many({address: value}, source)[address]

    def set_many(self, values: Mapping[str, object], source: str) -> dict[str, Value]:
        """Store several values in one swap and one version: readers see all of them or none.

        Returns the coerced values. Raises as `set` does, and then stores nothing.
        """
        coerced = self.coerced(values)
        move = Move(source, time.monotonic_ns())
        with self._write_lock:
            state = self._state
            has_changed = any(state.values[address] != value for address, value in coerced.items())
            self._state = _State(
                state.version + has_changed,
                MappingProxyType(state.values | coerced) if has_changed else state.values,
                MappingProxyType(state.moves | dict.fromkeys(coerced, move)),
            )
        return coerced

    def coerced(self, values: Mapping[str, object]) -> dict[str, Value]:
        """Return values as the store would hold them, storing nothing. Raises as `set` does."""
        return {address: self._parameter(address).coerce(value) for address, value in values.items()}

    def move_own(self, values: Mapping[str, Value], source: str) -> set[str]:
        """Store those values whose parameters `source` itself moved last; return their addresses.

        What plays by itself never takes a value back from a hand. Values are in range and of the right type already.
        """
        with self._write_lock:
            state = self._state
            own = {a: v for a, v in values.items() if (move := state.moves.get(a)) and move.source == source}
            changed = {address: value for address, value in own.items() if state.values[address] != value}
            if changed:
                moves = state.moves | dict.fromkeys(changed, Move(source, time.monotonic_ns()))
                values_now = MappingProxyType(state.values | changed)
                self._state = _State(state.version + 1, values_now, MappingProxyType(moves))
        return set(own)

    def _parameter(self, address: str) -> Parameter:
        if address not in self.parameters:
            raise UnknownAddressError(address, self.parameters)
        return self.parameters[address]
