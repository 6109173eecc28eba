"""Black point, white point and gamma: one curve for all three colours, as a table of 256 values."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

LEAST_SPAN = 1 / 255  # white at or below black makes a hard edge, not a division by nothing


@lru_cache(maxsize=64)
def curve(black: float, white: float, gamma: float) -> np.ndarray:
    """Return what each of 256 values becomes: ((v - black) / (white - black)) ** (1 / gamma), clipped to 0..1."""
    values = np.arange(256) / 255
    spread = np.clip((values - black) / max(LEAST_SPAN, white - black), 0.0, 1.0)
    table = np.round(255 * spread ** (1 / gamma)).astype(np.uint8)
    table.flags.writeable = False
    return table


def set_levels(picture: np.ndarray, black: float, white: float, gamma: float) -> np.ndarray:
    """Spread what lies between black and white over the whole range; gamma above 1 lifts the middle."""
    if (black, white, gamma) == (0.0, 1.0, 1.0):
        return picture
    return cv2.LUT(picture, curve(black, white, gamma))
