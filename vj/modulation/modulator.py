"""One modulator as data, read out of the store's values. Knows nothing of clocks, sound or threads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.parameter import Parameter, Value
from engine.params import ENGINE_PARAMETERS
from vj.modulation.params import FIELD_ADDRESSES, NO_TARGET, TARGETS
from vj.output.params import OUTPUT_PARAMETERS

_PARAMETERS = {p.address: p for p in (*ENGINE_PARAMETERS, *OUTPUT_PARAMETERS) if p.address in TARGETS}


@dataclass(frozen=True)
class Modulator:
    """What one slot does; fields as in `ModulationParams`."""

    slot: int  # 1..16
    target: Parameter
    source: str
    depth: float
    is_centred: bool
    minimum: float
    maximum: float
    curve: str
    shape: str
    period: str
    phase: float
    attack_ms: float
    release_ms: float
    rate_hz: float
    seed: int

    def shift(self, signal: float) -> float:
        """Return how far a bent signal in 0..1 carries its target, as a share of the fader's travel."""
        return self.depth * (signal - 0.5 if self.is_centred else signal)


_PLAIN_FIELDS = tuple(field.name for field in dataclasses.fields(Modulator) if field.name not in ("slot", "target"))


def modulators_in(values: Mapping[str, Value]) -> tuple[Modulator, ...]:
    """Read the modulators that are on and move something."""
    found = []
    for slot, addresses in enumerate(FIELD_ADDRESSES, start=1):
        if not values[addresses["is_on"]]:
            continue
        target, depth = str(values[addresses["target"]]), float(values[addresses["depth"]])
        if target == NO_TARGET or depth == 0.0:
            continue
        found.append(Modulator(slot, _PARAMETERS[target], *(values[addresses[name]] for name in _PLAIN_FIELDS)))
    return tuple(found)


def carried(position: float, shift: float, modulators: Sequence[Modulator]) -> float:
    """Return where all of a target's modulators together carry it from a fader position.

    The limits are those that every one of them keeps. What a hand put beyond them is left there, never pulled in.
    """
    low = min(position, max(modulator.minimum for modulator in modulators))
    high = max(position, min(modulator.maximum for modulator in modulators))
    return min(high, max(low, position + shift))
