"""Textures, and arrays to them: `syphon.utils.raw` and `syphon.utils.numpy`."""

from __future__ import annotations

import numpy as np


class Texture:
    """What Metal would hold."""

    def __init__(self, width: int, height: int, pixel_format: int) -> None:
        self.pixels, self.pixel_format = np.zeros((height, width, 4), np.uint8), pixel_format


def create_mtl_texture(device: object, width: int, height: int, pixel_format: int = 70) -> Texture:
    assert device and pixel_format == 80, "BGRA is copied, all else is drawn"
    return Texture(width, height, pixel_format)


def copy_image_to_mtl_texture(image: np.ndarray, texture: Texture) -> None:
    assert image.ndim == 3 and image.shape[2] == 4
    texture.pixels = np.frombuffer(image.tobytes(), np.uint8).reshape(texture.pixels.shape)
