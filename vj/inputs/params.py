"""What a performer sets about each input, declared once: where it comes from, how it plays, how it is treated.

Knows nothing of devices, processes or pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from engine.parameter import Parameter, Value, knob, parameters_of, values_from
from engine.video_in.params import INPUTS

FITS = ("fill", "fit", "stretch")
KEYS = ("none", "chroma", "luma")
DEINTERLACE = ("auto", "on", "off")
LEAST_LEFT = 1 / 16  # of a side: cropping from both ends leaves this much
LONGEST_FILE_S = 4 * 3600.0
LONGEST_DELAY_MS = 2000.0


def _input(name: str, kind: str, default: Value, text: str, *details: float | str) -> Value:
    """Declare one; `details` are minimum, maximum, unit and curve."""
    return knob(Parameter(f"/vj/input/{{n}}/{name}", kind, default, text, *details, clock="frame"))


def _choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    return knob(
        Parameter(f"/vj/input/{{n}}/{name}", "choice", choices[0], text, choices=choices, clock="frame"),
    )


def _crop(side: str) -> float:
    return _input(f"crop/{side}", "float", 0.0, f"Share of the input cut away at the {side}.", 0.0, 0.9)


@dataclass(frozen=True)
class InputParams:
    """Everything about one input. Built from a snapshot of the store by `from_values`."""

    source: str = _input(
        "source",
        "text",
        "",
        "Where input {n} comes from: a device's name or part of it, a file, an address (rtsp://, http://), screen, "
        "ndi:NAME, spout:NAME, syphon:NAME or lavfi:GRAPH. Empty = nothing.",
    )
    format: str = _input(
        "format", "text", "", "What a device is asked for, as in 1920x1080@60 or mjpeg 1280x720@30. Empty = its own."
    )
    play: bool = _input("play", "switch", True, "Whether a file runs; off holds its picture.")
    loop: bool = _input("loop", "switch", True, "Whether a file begins again; off holds its last picture.")
    speed: float = _input("speed", "float", 1.0, "How fast a file runs.", 0.1, 4.0, "x", "square")
    in_s: float = _input("in_s", "float", 0.0, "Where in a file playing begins.", 0.0, LONGEST_FILE_S, "s", "log")
    out_s: float = _input(
        "out_s", "float", 0.0, "Where in a file playing ends; 0 = at its end.", 0.0, LONGEST_FILE_S, "s", "log"
    )
    deinterlace: str = _choice(
        "deinterlace", "Makes whole pictures of interlaced ones: auto where they say so, on always.", DEINTERLACE
    )
    delay_ms: float = _input(
        "delay_ms", "float", 0.0, "How much later input {n} comes.", 0.0, LONGEST_DELAY_MS, "ms", "square"
    )
    crop_left: float = _crop("left")
    crop_right: float = _crop("right")
    crop_top: float = _crop("top")
    crop_bottom: float = _crop("bottom")
    fit: str = _choice(
        "fit", "fill covers the picture and loses edges, fit shows the whole input, stretch bends it to fit.", FITS
    )
    flip_h: bool = _input("flip/horizontal", "switch", False, "Swaps left and right.")
    flip_v: bool = _input("flip/vertical", "switch", False, "Swaps top and bottom.")
    black: float = _input("black", "float", 0.0, "Brightness that becomes black.", 0.0, 1.0)
    white: float = _input("white", "float", 1.0, "Brightness that becomes white.", 0.0, 1.0)
    gamma: float = _input("gamma", "float", 1.0, "Middle tones: above 1 brighter, below 1 darker.", 0.25, 4.0)
    key: str = _choice("key/mode", "What is keyed out: nothing, a colour, or what is dark.", KEYS)
    key_hue: float = _input("key/hue", "float", 120.0, "Colour that chroma keys out; 120 is green.", 0.0, 360.0, "°")
    key_tolerance: float = _input(
        "key/tolerance", "float", 0.3, "How far around that colour, or up to which brightness.", 0.0, 1.0
    )
    key_softness: float = _input("key/softness", "float", 0.1, "Width of the edge between in and out.", 0.0, 1.0)
    key_spill: float = _input("key/spill", "float", 0.5, "How much of the keyed colour is taken from edges.", 0.0, 1.0)
    key_invert: bool = _input("key/invert", "switch", False, "Keys out what would stay, and the other way round.")

    @classmethod
    def from_values(cls, values: Mapping[str, Value], number: int) -> InputParams:
        """Build input `number`'s (1..) from addresses in native units, as `ParameterStore.snapshot()` holds them."""
        return cls(**values_from(cls, {place: values[address] for place, address in _ADDRESSES[number].items()}))


def input_parameters(number: int) -> tuple[Parameter, ...]:
    """List what input `number` (1..) has."""
    return tuple(
        dataclasses.replace(one, address=one.address.format(n=number), help=one.help.format(n=number))
        for one in parameters_of(InputParams)
    )


def restart_address(number: int) -> str:
    """Address of the trigger that opens input `number` (1..) anew."""
    return f"/vj/input/{number}/restart"


def source_address(number: int) -> str:
    """Address of the text that says where input `number` (1..) comes from."""
    return f"/vj/input/{number}/source"


_ADDRESSES = {
    number: {one.address: one.address.format(n=number) for one in parameters_of(InputParams)}
    for number in range(1, INPUTS + 1)
}
INPUT_PARAMETERS: tuple[Parameter, ...] = tuple(
    parameter for number in range(1, INPUTS + 1) for parameter in input_parameters(number)
)
INPUT_TRIGGERS: tuple[Parameter, ...] = tuple(
    Parameter(
        restart_address(number),
        "trigger",
        False,
        f"Open input {number} anew: a file from its in point, a device as if it had been plugged in.",
        clock="frame",
    )
    for number in range(1, INPUTS + 1)
)
