"""Inputs as layers under and over the generated picture, declared once: which, where, how they are blended.

They change at the next display refresh. Knows nothing of the store, of files or of GL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, values_from
from engine.video_in.params import INPUTS
from vj.output.placing_params import FITS

LAYERS = 2
PLACES = ("over", "under")
BLENDS = ("normal", "add", "screen", "multiply", "difference", "lighten", "darken", "overlay", "subtract")
"""In the order of the numbers in `layer.frag.glsl`."""


def _layer(name: str, kind: str, default: Value, text: str, *details: float | str) -> tuple[Value, ...]:
    """Declare one parameter of every layer; `details` are minimum, maximum, unit and curve."""
    return knob(Parameter(f"/vj/layer/{{n}}/{name}", kind, default, text, *details, clock="frame"), LAYERS, default)


def _choice(name: str, text: str, choices: tuple[str, ...], default: str = "") -> tuple[Value, ...]:
    first = default or choices[0]
    parameter = Parameter(f"/vj/layer/{{n}}/{name}", "choice", first, text, clock="frame", choices=choices)
    return knob(parameter, LAYERS, first)


def _picture(name: str, default: float, text: str) -> float:
    return knob(Parameter(f"/vj/layer/picture/{name}", "float", default, text, 0.0, 1.0, clock="frame"))


@dataclass(frozen=True)
class LayerParams:
    """Everything about layers; each field of `{n}` holds one value per layer, the lowest first."""

    number: tuple[int, ...] = _layer("input", "int", 0, "Which input layer {n} shows; 0 = none.", 0, INPUTS)
    place: tuple[str, ...] = _choice("place", "Whether layer {n} lies over or under the generated picture.", PLACES)
    opacity: tuple[float, ...] = _layer("opacity", "float", 1.0, "How much of layer {n} is seen.", 0.0, 1.0)
    blend: tuple[str, ...] = _choice("blend", "How layer {n} is mixed with what lies below it.", BLENDS)
    uses_key: tuple[bool, ...] = _layer("key", "switch", True, "Whether layer {n} is cut out by its input's key.")
    fit: tuple[str, ...] = _choice(
        "fit", "fill covers the generated picture, fit shows all of the input, stretch bends it to fit.", FITS, "fill"
    )
    scale: tuple[float, ...] = _layer("scale", "float", 1.0, "Size of layer {n}.", 0.05, 4.0, "x", "square")
    x: tuple[float, ...] = _layer(
        "x", "float", 0.0, "Moves layer {n} to the right, as a share of the picture's width.", -1.0, 1.0
    )
    y: tuple[float, ...] = _layer(
        "y", "float", 0.0, "Moves layer {n} down, as a share of the picture's height.", -1.0, 1.0
    )
    rotation: tuple[float, ...] = _layer(
        "rotation", "float", 0.0, "Turns layer {n} clockwise about its middle.", -180.0, 180.0, "°"
    )
    picture_blend: str = knob(
        Parameter(
            "/vj/layer/picture/blend",
            "choice",
            BLENDS[0],
            "How the generated picture is mixed with the layers under it.",
            clock="frame",
            choices=BLENDS,
        )
    )
    picture_opacity: float = _picture("opacity", 1.0, "How much of the generated picture is seen over layers under it.")
    picture_key: float = _picture(
        "key", 0.0, "Parts of the generated picture darker than this let the layers under it through; 0 = off."
    )
    picture_softness: float = _picture(
        "softness", 0.1, "Over how much brightness that goes from nothing to all of the generated picture."
    )

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> LayerParams:
        """Build from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, values))
