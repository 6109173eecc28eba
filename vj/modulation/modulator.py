"""One modulator as data, read out of the store's values. Knows nothing of clocks, sound or threads."""

from __future__ import annotations

from collections.abc import Mapping
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

    def shift(self, signal: float, position: float) -> float:
        """Return how far a bent signal in 0..1 carries its target from a fader position, limits kept.

        A position outside the limits is left where it is, never pulled in.
        """
        wanted = self.depth * (signal - 0.5 if self.is_centred else signal)
        down = min(0.0, self.minimum - position)
        return min(max(0.0, self.maximum - position), max(down, wanted))


def modulators_in(values: Mapping[str, Value]) -> tuple[Modulator, ...]:
    """Read the modulators that are on and move something."""
    found = []
    for slot, addresses in enumerate(FIELD_ADDRESSES, start=1):
        if not values[addresses["is_on"]]:
            continue
        target, depth = str(values[addresses["target"]]), float(values[addresses["depth"]])
        if target == NO_TARGET or depth == 0.0:
            continue
        read = {name: values[address] for name, address in addresses.items() if name not in ("is_on", "target")}
        found.append(Modulator(slot, _PARAMETERS[target], *(read[name] for name in _READ)))
    return tuple(found)


_READ = tuple(name for name in Modulator.__dataclass_fields__ if name not in ("slot", "target"))
