"""The sixteen modulators' own parameters, declared once: what drives which parameter, how far and in what shape.

A modulator is nothing but these values, so hands, OSC, MIDI, looks and panels play it like anything else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from
from engine.params import ENGINE_PARAMETERS, SEED_MAX
from vj.effects.params import LIMIT_ADDRESS
from vj.output.params import OUTPUT_PARAMETERS
from vj.output.placing_params import PLACING_PARAMETERS
from vj.sound.features import BANDS

MODULATORS = 16
NO_TARGET = "none"
# a modulator must not lift a blackout or the limit of flashes: they are the performer's alone
# where a picture lies belongs to the place
TARGETS: tuple[str, ...] = (
    NO_TARGET,
    *(
        parameter.address
        for parameter in (*ENGINE_PARAMETERS, *OUTPUT_PARAMETERS)
        if parameter.kind not in ("text", "trigger")
        and parameter.address not in ("/vj/output/blackout", LIMIT_ADDRESS)
        and parameter not in PLACING_PARAMETERS
    ),
)
ONSETS = tuple(f"{band}_onset" for band in BANDS)
FEATURES = ("level", *BANDS, *ONSETS, "centroid")
SOURCES = ("lfo", "walk", *FEATURES)
SHAPES = ("sine", "triangle", "saw_up", "saw_down", "square", "random")
PERIOD_BEATS = {"1/2 beat": 0.5, "1 beat": 1.0, "2 beats": 2.0, "1 bar": 4.0, "2 bars": 8.0, "4 bars": 16.0}
CURVES = ("linear", "square", "root", "smooth")


def _slot(name: str, kind: str, default: Value, text: str, *details: object) -> tuple[Value, ...]:
    """Declare one parameter in every slot. `details` are minimum, maximum, unit and curve, or the choices."""
    address = f"/vj/mod/{{n}}/{name}"
    if kind == "choice":
        parameter = Parameter(address, "choice", default, text, clock="frame", choices=details)
    else:
        parameter = Parameter(address, kind, default, text, *details, clock="frame")
    return knob(parameter, MODULATORS, rest=default)


@dataclass(frozen=True)
class ModulationParams:
    """Everything a performer sets about the modulators; each field holds one value per slot."""

    is_on: tuple[bool, ...] = _slot("on", "switch", False, "Whether modulator {n} moves anything.")
    target: tuple[str, ...] = _slot(
        "target", "choice", NO_TARGET, "What modulator {n} moves; the faders keep the value it starts from.", *TARGETS
    )
    source: tuple[str, ...] = _slot(
        "source", "choice", "lfo", "What drives modulator {n}: the beat, chance, or something heard.", *SOURCES
    )
    depth: tuple[float, ...] = _slot(
        "depth",
        "float",
        0.5,
        "How far modulator {n} moves its target at most, as a share of the fader's travel; below 0 it pulls down.",
        -1.0,
        1.0,
    )
    is_centred: tuple[bool, ...] = _slot(
        "centred", "switch", False, "Modulator {n} swings to both sides of its target's value, not to one side of it."
    )
    minimum: tuple[float, ...] = _slot(
        "minimum",
        "float",
        0.0,
        "Fader position below which the target of modulator {n} is not carried.",
        0.0,
        1.0,
    )
    maximum: tuple[float, ...] = _slot(
        "maximum",
        "float",
        1.0,
        "Fader position above which the target of modulator {n} is not carried.",
        0.0,
        1.0,
    )
    curve: tuple[str, ...] = _slot(
        "curve",
        "choice",
        "linear",
        "How modulator {n} answers its source: even, late (square), early (root) or with soft ends (smooth).",
        *CURVES,
    )
    shape: tuple[str, ...] = _slot(
        "shape",
        "choice",
        "sine",
        "Wave of modulator {n} while the beat drives it; random holds until it steps.",
        *SHAPES,
    )
    period: tuple[str, ...] = _slot(
        "period", "choice", "1 bar", "Length of one wave of modulator {n} on the clock.", *PERIOD_BEATS
    )
    phase: tuple[float, ...] = _slot(
        "phase", "float", 0.0, "Where in its wave modulator {n} is on the first beat, as a share of it.", 0.0, 1.0
    )
    attack_ms: tuple[float, ...] = _slot(
        "attack", "float", 5.0, "How fast modulator {n} follows a rising sound.", 0.0, 2000.0, "ms", "square"
    )
    release_ms: tuple[float, ...] = _slot(
        "release", "float", 200.0, "How slowly modulator {n} lets go of a falling sound.", 0.0, 5000.0, "ms", "square"
    )
    rate_hz: tuple[float, ...] = _slot(
        "rate", "float", 0.5, "How often the random walk of modulator {n} turns.", 0.02, 20.0, "Hz", "log"
    )
    seed: tuple[int, ...] = _slot(
        "seed", "int", 0, "Choice of modulator {n}'s random walk and random steps.", 0, SEED_MAX
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> ModulationParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))


MODULATION_PARAMETERS: tuple[Parameter, ...] = parameters_of(ModulationParams)
FIELD_ADDRESSES: tuple[dict[str, str], ...] = tuple(
    {field.name: field.metadata["parameter"].address.format(n=n) for field in dataclasses.fields(ModulationParams)}
    for n in range(1, MODULATORS + 1)
)
"""Per slot: field of ModulationParams -> address."""
