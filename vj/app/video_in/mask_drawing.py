"""A mask that is drawn: soft or hard strokes of a round brush on grey values. Numpy and OpenCV; knows no widget."""

from __future__ import annotations

import cv2
import numpy as np

LONG_SIDE = 640  # pixels; a mask acts on blocks of eight and needs no more


class MaskDrawing:
    """Grey values (H, W) uint8: 255 where to paint anew, 0 where the input stays. Used by one thread."""

    def __init__(self, ratio: float = 16 / 9) -> None:
        """`ratio` is width by height of the picture it is for."""
        width, height = (LONG_SIDE, round(LONG_SIDE / ratio)) if ratio >= 1 else (round(LONG_SIDE * ratio), LONG_SIDE)
        self.pixels = np.zeros((max(1, height), max(1, width)), np.uint8)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn."""
        return not self.pixels.any()

    def stroke(
        self, start: tuple[float, float], end: tuple[float, float], size: float, soft: float, *, erases: bool
    ) -> None:
        """Draw from one point to another, each as shares (x, y) of the picture.

        `size` is the brush's width as a share of the picture's; `soft` the share of it that fades out.
        """
        height, width = self.pixels.shape
        radius = max(1.0, size * width / 2)
        ends = [(x * width, y * height) for x, y in (start, end)]
        left, right = (int(pick(x for x, _ in ends)) for pick in (min, max))
        top, bottom = (int(pick(y for _, y in ends)) for pick in (min, max))
        reach = int(radius) + 2
        columns = slice(max(0, left - reach), max(0, right + reach + 1))
        rows = slice(max(0, top - reach), max(0, bottom + reach + 1))
        touched = self.pixels[rows, columns]
        if touched.size == 0:
            return
        brush = _brush(touched.shape, (columns.start, rows.start), ends, (radius, soft))
        touched[...] = cv2.min(touched, 255 - brush) if erases else cv2.max(touched, brush)

    def clear(self) -> None:
        """Take everything away."""
        self.pixels[...] = 0

    def invert(self) -> None:
        """Swap inside and outside."""
        self.pixels[...] = 255 - self.pixels


def _brush(
    shape: tuple[int, int], origin: tuple[int, int], ends: list[tuple[float, float]], round_: tuple[float, float]
) -> np.ndarray:
    """255 within the stroke, falling to 0 over its soft share; `round_` is radius in pixels and softness."""
    radius, soft = round_
    height, width = shape
    x = np.arange(width, dtype=np.float32)[None] + np.float32(0.5 + origin[0] - ends[0][0])
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5 + origin[1] - ends[0][1])
    across, down = (np.float32(last - first) for first, last in zip(*ends, strict=True))
    length2 = across * across + down * down
    if length2:
        along = x * (across / length2) + y * (down / length2)
        np.clip(along, 0.0, 1.0, out=along)
        x, y = x - along * across, y - along * down
    distance = cv2.sqrt(x * x + y * y)
    edge = max(1.0, soft * radius)
    rise = -255 / edge  # per pixel, and OpenCV keeps it within 0 to 255
    return cv2.addWeighted(distance, rise, distance, 0.0, -rise * (radius + 0.5 * (soft == 0.0)), dtype=cv2.CV_8U)
