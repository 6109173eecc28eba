"""A picture as a receiver is to have it: its size, and alpha made of its brightness."""

from __future__ import annotations

import cv2
import numpy as np

from vj.sharing.params import SIZES, ShareParams

LUMA = np.array([[0.2126, 0.7152, 0.0722, 0.0]], np.float32)  # BT.709
OPAQUE = 255


def shaped_size(width: int, height: int, size: str) -> tuple[int, int]:
    """Return width and height in pixels for a choice of SIZES: even, as 4:2:2 and 4:2:0 need, and never larger."""
    lines = height if size == SIZES[0] else min(height, int(size.removesuffix("p")))
    return max(2, round(width * lines / height) // 2 * 2), max(2, lines // 2 * 2)


class Shaper:
    """Makes pictures by settings. Belongs to one thread."""

    def __init__(self) -> None:
        self._range = (-1.0, -1.0)
        self._table = np.zeros(256, np.uint8)

    def shape(self, pixels: np.ndarray, settings: ShareParams) -> np.ndarray:
        """Return (h, w, 4) uint8 RGBA of (H, W, 4); the given one stays as it is."""
        height, width = pixels.shape[:2]
        size = shaped_size(width, height, settings.size)
        made = pixels.copy() if size == (width, height) else self._resized(pixels, size)
        if settings.alpha == "off":
            made[..., 3] = OPAQUE
            return made
        alpha = self._alpha(made, settings.alpha_low, settings.alpha_high)
        if settings.alpha == "premultiplied":
            opaque = np.full_like(alpha, OPAQUE)
            made = cv2.multiply(made, cv2.merge([alpha, alpha, alpha, opaque]), scale=1 / OPAQUE)
        made[..., 3] = alpha
        return made

    def _resized(self, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        if pixels.shape[1] - size[0] < 2 and pixels.shape[0] - size[1] < 2:  # an odd edge: cut it off
            return pixels[: size[1], : size[0]].copy()
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)

    def _alpha(self, pixels: np.ndarray, low: float, high: float) -> np.ndarray:
        """(H, W) uint8: 0 at brightness `low` and below, 255 at `high` and above."""
        if (low, high) != self._range:
            steps = np.arange(256) / 255.0
            ramp = (steps - low) / (high - low) if high > low else (steps > low).astype(np.float64)
            self._table = np.round(255.0 * np.clip(ramp, 0.0, 1.0)).astype(np.uint8)
            self._range = (low, high)
        return cv2.LUT(cv2.transform(pixels, LUMA), self._table)
