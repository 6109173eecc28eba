"""The effects as numbers: one matrix for the colours, and what of an enlarged picture can be seen.

Pure arithmetic on output parameters. Knows nothing of GL.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from vj.output.params import OutputParams

LUMA = (0.2126, 0.7152, 0.0722)  # BT.709: what grey is to the eye
MIDDLE_GREY = 0.5
Matrix = tuple[float, ...]  # nine numbers, row after row
UNCHANGED: Matrix = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Rectangle:
    """Pixels of a target, counted from its lower left corner."""

    x: int
    y: int
    width: int
    height: int


def letterbox(content: tuple[float, float], target: tuple[int, int]) -> Rectangle:
    """Fit content (width, height) into a target, whole and undistorted, in the middle."""
    scale = min(target[0] / content[0], target[1] / content[1])
    width, height = max(1, round(content[0] * scale)), max(1, round(content[1] * scale))
    return Rectangle((target[0] - width) // 2, (target[1] - height) // 2, width, height)


def enlarged(place: Rectangle, zoom: float, target: tuple[int, int]) -> Rectangle:
    """Return the part of a target that `place` covers once it is enlarged from its centre."""
    left, width = _span(place.x, place.width, zoom, target[0])
    bottom, height = _span(place.y, place.height, zoom, target[1])
    return Rectangle(left, bottom, width, height)


def _span(start: int, length: int, zoom: float, target: int) -> tuple[int, int]:
    centre, reach = start + length / 2, length * zoom / 2
    first = max(0, math.floor(centre - reach))
    return first, min(target, math.ceil(centre + reach)) - first


def colour_matrix(params: OutputParams) -> Matrix:
    """Turn the hue, then take saturation, then contrast; add `colour_offset`. Grey stays grey.

    Hue turns around the line from black to white, so that 120 degrees swap the primaries exactly.
    """
    if (params.hue, params.saturation, params.contrast) == (0.0, 1.0, 1.0):
        return UNCHANGED
    mixed = _product(_saturation(params.saturation), _hue(params.hue))
    return tuple(params.contrast * number for number in mixed)


def colour_offset(params: OutputParams) -> float:
    """Return what is added to every channel after the matrix: contrast keeps middle grey where it is."""
    return MIDDLE_GREY * (1.0 - params.contrast)


def without_colours(params: OutputParams) -> OutputParams:
    """Return the same with the colours as they come: they are changed later."""
    return replace(params, hue=0.0, saturation=1.0, contrast=1.0)


def _hue(degrees: float) -> Matrix:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    even, turned = (1.0 - cosine) / 3.0, sine / math.sqrt(3.0)
    same, before, after = cosine + even, even - turned, even + turned
    return (same, before, after, after, same, before, before, after, same)


def _saturation(amount: float) -> Matrix:
    return tuple(
        (1.0 - amount) * LUMA[column] + (amount if row == column else 0.0) for row in range(3) for column in range(3)
    )


def _product(first: Matrix, second: Matrix) -> Matrix:
    return tuple(
        sum(first[3 * row + k] * second[3 * k + column] for k in range(3)) for row in range(3) for column in range(3)
    )
