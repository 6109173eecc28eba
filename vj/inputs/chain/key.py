"""Keys: from a colour (green screen) or from brightness to alpha, and the screen's light taken out of what stays.

Numpy and OpenCV in whole numbers. Symbols: x is how far a pixel's colour points towards the key's hue, y how far beside
it, both from (R - (G + B) / 2, sqrt(3)/2 (G - B)) turned by the hue; V its largest channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

LUMA = (0.2126, 0.7152, 0.0722)  # BT.709
DARKEST = 48  # a pixel below this value is too dark to say its hue: noise must not punch holes
LEAST_EDGE = 1 / 255
Planes = Sequence[np.ndarray]  # red, green, blue, each (H, W) uint8


def hue_strength(rgb: np.ndarray, hue: float) -> np.ndarray:
    """Return x - |y|, at least 0, of a picture (H, W, 3) uint8 for a hue in degrees: (H, W) uint8."""
    towards, left, right = cv2.split(cv2.transform(rgb, _turned(hue)))
    return cv2.subtract(towards, cv2.max(left, right))


def chroma_alpha(planes: Planes, strength: np.ndarray, tolerance: float, softness: float) -> np.ndarray:
    """Alpha (H, W) uint8 of a colour key: 0 where the picture is the colour whose `hue_strength` this is.

    key = (x - |y|) / max(V, DARKEST), from 0 = grey or another colour to 1 = the key's colour, pure. Out is what is
    above (1 - tolerance)^2, and `softness` the share of the way down to grey that the edge takes.
    """
    red, green, blue = planes
    brightest = cv2.max(cv2.max(red, green), blue)
    key = cv2.divide(strength, cv2.max(brightest, DARKEST), scale=255)
    out = (1.0 - tolerance) ** 2  # a real screen, unevenly lit, is about half pure
    return cv2.LUT(key, _ramp_down(out, out * softness))


def luma_alpha(rgb: np.ndarray, tolerance: float, softness: float) -> np.ndarray:
    """Alpha (H, W) uint8 of a brightness key: 0 up to `tolerance`, 255 from `softness` above it on."""
    darkness = cv2.bitwise_not(cv2.transform(rgb, _LUMA_ROWS))
    return cv2.LUT(cv2.extractChannel(darkness, 0), _ramp_down(1.0 - tolerance, softness))


def take_spill(planes: Planes, strength: np.ndarray, alpha: np.ndarray, hue: float, spill: float) -> Planes:
    """Take this share of the key's colour out of what stays, keeping its brightness; what is keyed out is left."""
    if spill <= 0.0:
        return planes
    excess = cv2.multiply(strength, alpha, scale=spill / 255)
    shares = _colour_direction(hue)
    return [cv2.addWeighted(plane, 1.0, excess, -share, 0.0) for plane, share in zip(planes, shares, strict=True)]


def hue_of(red: int, green: int, blue: int) -> float:
    """Hue of a colour 0..255 in degrees, as the key measures it; 0 for a grey."""
    across, up = _PLANE @ (red, green, blue)
    return float(np.degrees(np.arctan2(up, across)) % 360.0)


_PLANE = np.array([[1.0, -0.5, -0.5], [0.0, np.sqrt(3) / 2, -np.sqrt(3) / 2]])
_LUMA_ROWS = np.array([LUMA] * 3, np.float32)  # three times the same: OpenCV is fast from three channels to three


@lru_cache(maxsize=64)
def _turned(hue: float) -> np.ndarray:
    """Rows x, y and -y; what is below 0 becomes 0 in whole numbers, so that |y| is the larger of two."""
    cosine, sine = np.cos(np.radians(hue)), np.sin(np.radians(hue))
    towards, beside = np.array([[cosine, sine], [-sine, cosine]]) @ _PLANE
    return np.stack([towards, beside, -beside]).astype(np.float32)


@lru_cache(maxsize=64)
def _colour_direction(hue: float) -> tuple[float, ...]:
    """The step in (R, G, B) that moves x by 1, and neither y nor brightness."""
    towards, beside, _ = _turned(hue)
    return tuple(np.linalg.solve(np.stack([towards, beside, LUMA]), [1.0, 0.0, 0.0]).tolist())


@lru_cache(maxsize=64)
def _ramp_down(out: float, width: float) -> np.ndarray:
    """Alpha for each of 256 keys: 0 from `out` on, 255 up to `width` below it."""
    below = max(LEAST_EDGE, out) - np.arange(256) / 255
    table = np.round(255 * np.clip(below / max(LEAST_EDGE / 2, width), 0.0, 1.0)).astype(np.uint8)
    table.flags.writeable = False
    return table
