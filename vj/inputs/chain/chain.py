"""The chain of one input, in order: crop, flip, fit, levels, key. Delay has a line of its own (`delay.py`).

Numpy and OpenCV. Knows nothing of where pictures come from or who reads them.
"""

from __future__ import annotations

import cv2
import numpy as np

from vj.inputs.chain.key import chroma_alpha, hue_strength, luma_alpha, take_spill
from vj.inputs.chain.levels import set_levels
from vj.inputs.chain.placing import Place, crop, fit, flip
from vj.inputs.params import InputParams

BAND_PIXELS = 64 * 1280  # what is worked on at a time stays in the processor's cache: four times as fast as the whole


class Chain:
    """Holds nothing between pictures: any thread may call it, and the same picture may go through it for two sizes."""

    def apply(self, rgb: np.ndarray, settings: InputParams, size: tuple[int, int]) -> np.ndarray:
        """Take a picture (H, W, 3) uint8 through the chain to (h, w, 4) uint8 at `size` (w, h); A is the key.

        What is keyed out keeps its colour; the bars of `fit` are black and clear (A = 0).
        """
        sides = (settings.crop_left, settings.crop_right, settings.crop_top, settings.crop_bottom)
        seen = flip(crop(rgb, *sides), horizontal=settings.flip_h, vertical=settings.flip_v)
        placed, place = fit(seen, settings.fit, size)
        rgba = np.empty((*placed.shape[:2], 4), np.uint8)
        rows = max(1, BAND_PIXELS // placed.shape[1])
        for top in range(0, placed.shape[0], rows):
            band = set_levels(placed[top : top + rows], settings.black, settings.white, settings.gamma)
            _add_key(band, settings, rgba[top : top + rows])
        _clear_bars(rgba, place)
        return rgba


def _add_key(rgb: np.ndarray, settings: InputParams, rgba: np.ndarray) -> None:
    """Write a band and its key as a fourth channel into `rgba`."""
    if settings.key == "none":
        cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA, dst=rgba)
        return
    planes = cv2.split(rgb)
    if settings.key == "chroma":
        strength = hue_strength(rgb, settings.key_hue)
        alpha = chroma_alpha(planes, strength, settings.key_tolerance, settings.key_softness)
        if not settings.key_invert:  # inverted, what has the colour is what is wanted
            planes = take_spill(planes, strength, alpha, settings.key_hue, settings.key_spill)
    else:
        alpha = luma_alpha(rgb, settings.key_tolerance, settings.key_softness)
    if settings.key_invert:
        alpha = cv2.bitwise_not(alpha)
    cv2.merge([*planes, alpha], dst=rgba)


def _clear_bars(rgba: np.ndarray, place: Place) -> None:
    """Make what is around the picture black and clear, whatever levels and key made of it."""
    bottom, right = place.top + place.height, place.left + place.width
    for bar in (rgba[: place.top], rgba[bottom:], rgba[:, : place.left], rgba[:, right:]):
        bar[...] = 0
