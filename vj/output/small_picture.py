"""The picture with its layers, small and in plain numpy: for monitors that draw without a card of their own.

The formulas are those of `layer.frag.glsl`, sampled by whole pixels.
"""

from __future__ import annotations

import numpy as np

from vj.output.composition import Composition, Framing, LaidInput, to_layer

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def laid_together(pixels: np.ndarray, composition: Composition) -> np.ndarray:
    """Lay what is under and over onto a picture (H, W, 4) uint8, small; returns the same, opaque."""
    params = composition.params
    picture = pixels[..., :3].astype(np.float32) / 255.0
    whole = picture
    if composition.under:
        below = np.zeros_like(picture)
        for laid in composition.under:
            below = _input_over(below, laid, composition)
        keyed = np.ones((*picture.shape[:2], 1), np.float32)
        if params.picture_key > 0.0:
            t = np.clip((picture @ LUMA - params.picture_key) / max(params.picture_softness, 1e-4), 0.0, 1.0)
            keyed = (t * t * (3.0 - 2.0 * t))[..., None]
        over = below + (_faded(below, picture, params.picture_blend, params.picture_opacity) - below) * keyed
        whole = picture + (over - picture) * composition.under_strength
    for laid in composition.over:
        whole = _input_over(whole, laid, composition)
    shown = np.full((*picture.shape[:2], 4), 255, np.uint8)
    shown[..., :3] = np.clip(whole, 0.0, 1.0) * 255.0 + 0.5
    return shown


def _input_over(below: np.ndarray, laid: LaidInput, composition: Composition) -> np.ndarray:
    params, k = composition.params, laid.index
    height, width, _ = below.shape
    rows, columns, _ = laid.frame.pixels.shape
    matrix = np.array(to_layer(Framing.whole((width, height), 1.0), params, k, (columns, rows)), np.float32)
    across, down = np.arange(width, dtype=np.float32) + 0.5, height - np.arange(height, dtype=np.float32)[:, None] - 0.5
    x = np.floor(matrix[0] * across + matrix[1] * down + matrix[2]).astype(np.int32)
    y = np.floor(matrix[3] * across + matrix[4] * down + matrix[5]).astype(np.int32)
    is_inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    found = laid.frame.pixels[y.clip(0, rows - 1), x.clip(0, columns - 1)].astype(np.float32) / 255.0
    share = is_inside * (found[..., 3] if params.uses_key[k] else 1.0)
    faded = _faded(below, found[..., :3], params.blend[k], params.opacity[k] * laid.strength)
    return below + (faded - below) * share[..., None]


def _faded(low: np.ndarray, high: np.ndarray, blend: str, opacity: float) -> np.ndarray:
    if blend == "add":
        return _value(np.minimum(_light(low) + opacity * _light(high), 1.0))
    whole = _blended(low, high, blend)
    return whole if opacity >= 1.0 else _value((1.0 - opacity) * _light(low) + opacity * _light(whole))


def _blended(low: np.ndarray, high: np.ndarray, blend: str) -> np.ndarray:
    if blend == "screen":
        return low + high - low * high
    if blend == "multiply":
        return low * high
    if blend == "difference":
        return np.abs(low - high)
    if blend == "lighten":
        return np.maximum(low, high)
    if blend == "darken":
        return np.minimum(low, high)
    if blend == "overlay":
        return np.where(low < 0.5, 2.0 * low * high, 1.0 - 2.0 * (1.0 - low) * (1.0 - high))
    if blend == "subtract":
        return np.maximum(low - high, 0.0)
    return high


def _light(value: np.ndarray) -> np.ndarray:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _value(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0) ** (1 / 2.4) - 0.055)
