"""What the renderer should draw of a still picture, in plain numpy and double precision; no grain."""

from __future__ import annotations

import numpy as np

from vj.output.params import OutputParams

LUMA = np.array([0.2126, 0.7152, 0.0722])
DEEP = 1023.0  # steps of the surfaces between the passes


def drawn(frame: np.ndarray, params: OutputParams, size: tuple[int, int]) -> np.ndarray:
    """Frame (H, W, 3) uint8 of the target's shape to (height, width, 3) in 0..255."""
    picture = _stored(frame / 255.0)
    wide = _stretched(picture.swapaxes(0, 1), size[0], params.zoom).swapaxes(0, 1)
    wide = _stored(_coloured(wide, params))
    tall = _stretched(wide, size[1], params.zoom)
    return np.clip(tall * params.level, 0.0, 1.0) * 255.0


def _stored(picture: np.ndarray) -> np.ndarray:
    return np.round(np.clip(picture, 0.0, 1.0) * DEEP) / DEEP


def _coloured(picture: np.ndarray, params: OutputParams) -> np.ndarray:
    """Hue as a rotation about the grey axis (Rodrigues), saturation against luma, contrast about 0.5."""
    angle, axis = np.radians(params.hue), np.full(3, 1 / np.sqrt(3))
    turned = (
        picture * np.cos(angle)
        + np.cross(np.broadcast_to(axis, picture.shape), picture) * np.sin(angle)
        + axis * (picture @ axis)[..., None] * (1 - np.cos(angle))
    )
    luma = (turned @ LUMA)[..., None]
    saturated = luma + params.saturation * (turned - luma)
    return 0.5 + params.contrast * (saturated - 0.5)


def _stretched(picture: np.ndarray, length: int, zoom: float) -> np.ndarray:
    """Bicubic along the first axis, enlarged from the centre; edges repeat."""
    source = len(picture)
    target = length / 2 + (np.arange(length) + 0.5 - length / 2) / zoom
    centre = target * source / length - 0.5
    first = np.floor(centre).astype(int)
    total = 0.0
    for k in range(-1, 3):
        weight = _mitchell(np.abs(centre - (first + k)))
        total = total + weight[:, None, None] * picture[np.clip(first + k, 0, source - 1)]
    return total


def _mitchell(x: np.ndarray) -> np.ndarray:
    near = (7 * x**3 - 12 * x**2 + 16 / 3) / 6
    far = (-7 / 3 * x**3 + 12 * x**2 - 20 * x + 32 / 3) / 6
    return np.where(x < 1, near, far)
