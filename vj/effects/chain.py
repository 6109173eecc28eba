"""Which effects are on, in which order and with what: from the values of parameters to what the shaders are given.

Knows nothing of GL, files or the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.parameter import Value
from vj.effects.isf_file import Effect, EffectInput
from vj.effects.params import (
    CHAIN_NAMES,
    EFFECT_PARAMETERS,
    KNOB_REST,
    KNOBS,
    SLOT_NAMES,
    file_address,
    knob_address,
    mix_address,
    place_address,
    shipped_parameters,
)
from vj.effects.shipped import SHIPPED

_DEFAULTS: Mapping[str, Value] = {parameter.address: parameter.default for parameter in EFFECT_PARAMETERS}
_PLACES = {name: place_address(name) for name in CHAIN_NAMES}
_MIXES = tuple((name, mix_address(name)) for name in CHAIN_NAMES)
_INPUTS = {name: tuple(p.address for p in shipped_parameters(name)[1:-1]) for name in SHIPPED}
_SLOTS = {
    name: (file_address(slot), tuple(knob_address(slot, k) for k in range(1, KNOBS + 1)))
    for slot, name in enumerate(SLOT_NAMES, start=1)
}


@dataclass(frozen=True)
class EffectUse:
    """One effect that is on."""

    name: str  # of a shipped one, or user/1..
    mix: float  # above 0, to 1
    file: str = ""  # of a user's
    inputs: Mapping[str, Value] = field(default_factory=dict)  # native units by "input" or "input/component"
    knobs: tuple[float, ...] = ()  # of a user's, 0..1

    def numbers(self, held: EffectInput, first_knob: int) -> tuple[float, ...]:
        """Return the numbers an input is set to; `first_knob` (from 0) is its first on a slot's knobs."""
        if self.knobs:
            return tuple(
                self._by_knob(held, k, first_knob + k) if first_knob + k < KNOBS else held.default[k]
                for k in range(len(held.components))
            )
        return tuple(self._by_name(held, k, component) for k, component in enumerate(held.components))

    def _by_name(self, held: EffectInput, k: int, component: str) -> float:
        given = self.inputs.get(f"{held.name}/{component}" if component else held.name)
        if given is None:  # an input that the file has got since the start
            return held.default[k]
        if held.kind == "long":
            return float(held.choices.index(given)) if given in held.choices else held.default[0]
        return float(given)

    def _by_knob(self, held: EffectInput, k: int, knob: int) -> float:
        position, low, rest, high = self.knobs[knob], held.minimum[k], held.default[k], held.maximum[k]
        if held.kind == "event":
            return float(position > KNOB_REST)
        if position == KNOB_REST:
            return rest
        if held.kind == "bool":
            return float(position > KNOB_REST)
        if held.kind == "long":
            return float(round(position * high))
        if position < KNOB_REST:
            return low + (rest - low) * position / KNOB_REST
        return rest + (high - rest) * (position - KNOB_REST) / (1.0 - KNOB_REST)


def effects_in(values: Mapping[str, Value]) -> tuple[EffectUse, ...]:
    """List the effects that are on, the first one first: equal places keep the order they are declared in."""
    on = [(name, float(values.get(address, 0.0))) for name, address in _MIXES]
    on = [(name, mix) for name, mix in on if mix > 0.0]
    on.sort(key=lambda one: int(values.get(_PLACES[one[0]], _DEFAULTS[_PLACES[one[0]]])))
    uses = (_use(values, name, mix) for name, mix in on)
    return tuple(use for use in uses if use.inputs or use.file or use.name in SHIPPED)


def knob_labels(effect: Effect) -> tuple[str, ...]:
    """What each knob of a slot moves, in order; inputs that find no knob stay at their defaults."""
    labels = [f"{held.label} {component}".strip() for held in effect.inputs for component in held.components]
    return tuple(labels[:KNOBS])


def _use(values: Mapping[str, Value], name: str, mix: float) -> EffectUse:
    if name in _SLOTS:
        file, knobs = _SLOTS[name]
        return EffectUse(
            name, mix, str(values.get(file, "")), knobs=tuple(float(values.get(one, KNOB_REST)) for one in knobs)
        )
    start = len(mix_address(name)) - len("mix")
    inputs = {address[start:]: values.get(address, _DEFAULTS[address]) for address in _INPUTS[name]}
    return EffectUse(name, mix, inputs=inputs)
