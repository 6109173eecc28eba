"""What acts on the output once per display refresh, declared once: address, range, unit and help.

Knows nothing of the store, of windows or of GL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.parameter import Parameter, Value, knob, parameters_of, values_from
from vj.effects.chain import EffectUse, effects_in
from vj.effects.params import CROSSFADE, EFFECT_PARAMETERS
from vj.output.layer_params import LayerParams
from vj.output.placing_params import PLACING_PARAMETERS, PlacingParams, values_on


@dataclass(frozen=True)
class OutputParams(PlacingParams):
    """Everything that can change between two display refreshes. Built from a snapshot of the store."""

    level: float = knob(
        Parameter(
            "/vj/output/level",
            "float",
            1.0,
            "Brightness of the output: 0 is black, 1 the picture as it is.",
            0.0,
            1.0,
            clock="frame",
        )
    )
    blackout: bool = knob(
        Parameter(
            "/vj/output/blackout",
            "switch",
            False,
            "Black (0,0,0) over the whole output at the next display refresh; the stream runs on behind it.",
            clock="frame",
        )
    )
    freeze: bool = knob(
        Parameter(
            "/vj/output/freeze",
            "switch",
            False,
            "Holds the picture that is on screen; the stream runs on behind it.",
            clock="frame",
        )
    )
    fallback: bool = knob(
        Parameter(
            "/vj/output/fallback",
            "switch",
            False,
            "Plays the last good seconds to and fro instead of the stream.",
            clock="frame",
        )
    )
    fallback_after: float = knob(
        Parameter(
            "/vj/output/fallback_after",
            "float",
            3.0,
            "How long a stream may be late before the output counts as fallen back.",
            0.5,
            30.0,
            "s",
            clock="frame",
        )
    )
    fallback_film: str = knob(
        Parameter(
            "/vj/output/fallback_film",
            "text",
            "",
            "Video file that is played once the output has fallen back; empty = the last good seconds.",
            clock="frame",
        )
    )
    fade: float = knob(
        Parameter(
            "/vj/output/fade",
            "float",
            0.0,
            "How long the level takes from one end to the other.",
            0.0,
            10.0,
            "s",
            curve="square",
            clock="frame",
        )
    )
    hue: float = knob(
        Parameter(
            "/vj/effect/hue", "float", 0.0, "Turns all colours around the wheel.", -180.0, 180.0, "°", clock="frame"
        )
    )
    saturation: float = knob(
        Parameter("/vj/effect/saturation", "float", 1.0, "0 is grey, 1 the picture as it is.", 0.0, 2.0, clock="frame")
    )
    contrast: float = knob(
        Parameter("/vj/effect/contrast", "float", 1.0, "Spread around middle grey.", 0.0, 2.0, clock="frame")
    )
    zoom: float = knob(
        Parameter(
            "/vj/effect/zoom", "float", 1.0, "Enlarges the picture from its centre.", 1.0, 4.0, "x", clock="frame"
        )
    )
    crossfade: str = knob(CROSSFADE)
    effects: tuple[EffectUse, ...] = ()  # those that are on, in their order; read from parameters of their own

    @classmethod
    def from_values(cls, values: Mapping[str, Value], output: int = 1) -> OutputParams:
        """Build one output's from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        made = cls(**values_from(cls, values if output == 1 else {**values, **values_on(values, output)}))
        return replace(made, effects=effects_in(values))


RESET_ADDRESS = "/vj/output/reset"
OUTPUT_TRIGGERS: tuple[Parameter, ...] = (
    Parameter(
        RESET_ADDRESS,
        "trigger",
        False,
        "Blackout, freeze and fallback off and the level up: the stream is seen again. On the output: key R.",
        clock="frame",
    ),
)
# the performer's own first: what belongs to the place is touched once an evening
OUTPUT_PARAMETERS: tuple[Parameter, ...] = (
    *(parameter for parameter in parameters_of(OutputParams) if parameter not in PLACING_PARAMETERS),
    *EFFECT_PARAMETERS,
    *parameters_of(LayerParams),
    *PLACING_PARAMETERS,
)
