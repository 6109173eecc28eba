"""How the picture lies on one display, and how that display is matched and tested: declared once for every output.

These belong to a place and its projector, not to a look. Knows nothing of the store, of windows or of GL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.parameter import Parameter, Value, knob, parameters_of

FITS = ("fit", "fill", "stretch")
ROTATIONS = ("0", "90", "180", "270")
CORNERS = 4
LARGEST_CROP = 0.45  # of a side: something of the picture is left whatever the other side loses
MOST_OUTPUTS = 4
ADDRESS_START = "/vj/output/"
FLASH_TEST_ADDRESS = "/vj/output/flash_test"
DELAY_ADDRESS = "/vj/output/delay"


def _output(name: str, kind: str, default: Value, text: str, *details: float | str) -> Value:
    """Declare one; `details` are minimum, maximum and unit."""
    return knob(Parameter(f"/vj/output/{name}", kind, default, text, *details, clock="frame"))


def _choice(name: str, text: str, choices: tuple[str, ...]) -> Value:
    return knob(Parameter(f"/vj/output/{name}", "choice", choices[0], text, choices=choices, clock="frame"))


def _crop(side: str) -> float:
    return _output(f"crop/{side}", "float", 0.0, f"Share of the picture cut away at the {side}.", 0.0, LARGEST_CROP)


def _pin(axis: str, text: str) -> tuple[float, ...]:
    named = "Corner {n} (1 top left, 2 top right, 3 bottom right, 4 bottom left) moved "
    return knob(
        Parameter(f"/vj/output/pin/{{n}}/{axis}", "float", 0.0, named + text, -0.5, 0.5, clock="frame"), CORNERS
    )


@dataclass(frozen=True)
class PlacingParams:
    """What is set once for a display and then left alone; all at rest, the picture is as it came."""

    fit: str = _choice(
        "fit", "fit shows the whole picture, fill covers the display and loses edges, stretch bends it to fit.", FITS
    )
    rotation: str = _choice(
        "rotation", "Turns the output clockwise, in degrees: for displays on their side.", ROTATIONS
    )
    mirror_horizontal: bool = _output("mirror/horizontal", "switch", False, "Swaps left and right: rear projection.")
    mirror_vertical: bool = _output("mirror/vertical", "switch", False, "Swaps top and bottom.")
    crop_left: float = _crop("left")
    crop_right: float = _crop("right")
    crop_top: float = _crop("top")
    crop_bottom: float = _crop("bottom")
    pin_x: tuple[float, ...] = _pin("x", "to the right, as a share of the width.")
    pin_y: tuple[float, ...] = _pin("y", "down, as a share of the height.")
    brightness: float = _output(
        "brightness", "float", 1.0, "Gain of this display; the level stays the performer's.", 0.0, 2.0
    )
    gamma: float = _output(
        "gamma", "float", 1.0, "Above 1 lifts the middle tones, below 1 lowers them; black and white stay.", 0.4, 2.5
    )
    sharpen: float = _output("sharpen", "float", 0.0, "Brings edges back after enlarging; 0 = off.", 0.0, 1.0)
    delay: float = _output(
        "delay", "float", 0.0, "Holds picture and effects back, to meet sound that arrives late.", 0.0, 500.0, "ms"
    )
    test_card: bool = _output("test_card", "switch", False, "Shows name, size and rate of the display instead.")
    flash_test: bool = _output(
        "flash_test", "switch", False, "A white flash and a click every second: set the delay until they meet."
    )


_FIRST: tuple[Parameter, ...] = parameters_of(PlacingParams)
SHARED_ADDRESSES = (FLASH_TEST_ADDRESS,)
"""What all outputs obey together, each with its own delay."""


def address_on(address: str, output: int) -> str:
    """Return where output 1..MOST_OUTPUTS has what the first one has at `address`."""
    is_own = output > 1 and address not in SHARED_ADDRESSES
    return f"{ADDRESS_START}{output}/{address.removeprefix(ADDRESS_START)}" if is_own else address


def placing_parameters(output: int) -> tuple[Parameter, ...]:
    """List what belongs to one output, by its own addresses."""
    if output == 1:
        return _FIRST
    return tuple(
        replace(parameter, address=address_on(parameter.address, output), help=f"Output {output}: {parameter.help}")
        for parameter in _FIRST
        if parameter.address not in SHARED_ADDRESSES
    )


def values_on(values: Mapping[str, Value], output: int) -> dict[str, Value]:
    """Return one output's placing values, by the addresses the first output has them at."""
    return {p.address: values.get(address_on(p.address, output), p.default) for p in _FIRST}


PLACING_PARAMETERS: tuple[Parameter, ...] = tuple(
    parameter for output in range(1, MOST_OUTPUTS + 1) for parameter in placing_parameters(output)
)
