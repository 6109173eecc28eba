"""Where the picture lies on a display as numbers: the canvas it is drawn on, and the way from there to the pixels.

Pure arithmetic on output parameters. Knows nothing of GL.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vj.output.effects import Rectangle, letterbox
from vj.output.placing_params import PlacingParams

Size = tuple[int, int]  # width, height in pixels
SMALLEST_TURN = 1e-6  # of a corner's angle: flatter than this, four corners make no picture


@dataclass(frozen=True)
class Crop:
    """The part of a picture that is used, in its own pixels from the upper left corner."""

    left: float
    top: float
    width: float
    height: float


def crop_of(params: PlacingParams, content: Size) -> Crop:
    """Return what the four sides leave of a picture; untouched sides leave it whole, exactly."""
    width, height = content
    return Crop(
        params.crop_left * width,
        params.crop_top * height,
        width * (1.0 - params.crop_left - params.crop_right),
        height * (1.0 - params.crop_top - params.crop_bottom),
    )


def place(content: tuple[float, float], canvas: Size, fit: str) -> Rectangle:
    """Lay content (width, height) into the middle of a canvas by one of FITS; `fill` reaches beyond it."""
    if fit == "fit":
        return letterbox(content, canvas)
    if fit == "stretch":
        return Rectangle(0, 0, *canvas)
    scale = max(canvas[0] / content[0], canvas[1] / content[1])
    width, height = round(content[0] * scale), round(content[1] * scale)
    return Rectangle((canvas[0] - width) // 2, (canvas[1] - height) // 2, width, height)


def canvas_size(params: PlacingParams, target: Size) -> Size:
    """Size of what is drawn before it is turned: a display on its side has a canvas that stands."""
    return (target[1], target[0]) if params.rotation in ("90", "270") else target


def needs_canvas(params: PlacingParams) -> bool:
    """Whether anything is asked for that cannot be drawn straight onto the target."""
    return not (
        params.rotation == "0"
        and not params.mirror_horizontal
        and not params.mirror_vertical
        and not is_pinned(params)
        and params.brightness == 1.0
        and params.gamma == 1.0
        and params.sharpen == 0.0
        and not params.test_card
    )


def is_pinned(params: PlacingParams) -> bool:
    """Whether any corner was moved."""
    return any(params.pin_x) or any(params.pin_y)


def corners(params: PlacingParams, target: Size) -> np.ndarray:
    """Where the four corners of the picture lie: (4, 2) pixels of the target from its upper left corner."""
    width, height = target
    corner = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
    return corner + np.stack([params.pin_x, params.pin_y], axis=-1) * (width, height)


def from_target(params: PlacingParams, target: Size) -> tuple[float, ...]:
    """The perspective that leads from a pixel of the target to the canvas: 3x3, row after row, both from below left.

    Four corners that make no picture (one inside the others, or all in a line) are left where they were.
    """
    return _from_target(
        params.rotation, params.mirror_horizontal, params.mirror_vertical, params.pin_x, params.pin_y, target
    )


@lru_cache(maxsize=64)
def _from_target(
    rotation: str,
    is_mirrored_across: bool,
    is_mirrored_down: bool,
    pin_x: tuple[float, ...],
    pin_y: tuple[float, ...],
    target: Size,
) -> tuple[float, ...]:
    width, height = (float(length) for length in target)
    steps = [_flip(height)]  # the window counts from below
    if any(pin_x) or any(pin_y):
        steps.append(_unpinned(corners(PlacingParams(pin_x=pin_x, pin_y=pin_y), target), width, height))
    if is_mirrored_across:
        steps.append(np.array([(-1.0, 0.0, width), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]))
    if is_mirrored_down:
        steps.append(_flip(height))
    steps.append(_turned_back(rotation, width, height))
    steps.append(_flip(width if rotation in ("90", "270") else height))
    matrix = np.eye(3)
    for step in steps:
        matrix = step @ matrix
    return tuple(float(number) for number in matrix.flat)


def _flip(height: float) -> np.ndarray:
    return np.array([(1.0, 0.0, 0.0), (0.0, -1.0, height), (0.0, 0.0, 1.0)])


def _turned_back(rotation: str, width: float, height: float) -> np.ndarray:
    rows = {
        "0": [(1, 0, 0), (0, 1, 0)],
        "90": [(0, 1, 0), (-1, 0, width)],
        "180": [(-1, 0, width), (0, -1, height)],
        "270": [(0, -1, height), (1, 0, 0)],
    }
    return np.array([*rows[rotation], (0, 0, 1)], float)


def _unpinned(corner: np.ndarray, width: float, height: float) -> np.ndarray:
    """The perspective from a quadrangle to the whole target (Heckbert, "Fundamentals of Texture Mapping", 1989)."""
    before, after = np.roll(corner, 1, axis=0) - corner, np.roll(corner, -1, axis=0) - corner
    turns = after[:, 0] * before[:, 1] - after[:, 1] * before[:, 0]
    if (turns <= SMALLEST_TURN * width * height).any():
        return np.eye(3)
    whole = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    rows, right = [], []
    for (x, y), (u, v) in zip(corner, whole, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        right += [u, v]
    found = np.linalg.solve(np.array(rows, float), np.array(right))
    matrix = np.append(found, 1.0).reshape(3, 3)
    depth = matrix[2] @ np.append(corner.mean(axis=0), 1.0)
    return matrix if depth > 0 else -matrix  # in front of the picture the third number is positive
