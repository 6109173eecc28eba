"""Cutting edges off, bringing to a size, and mirroring. Numpy and OpenCV; pictures are (H, W, C) uint8."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vj.inputs.params import LEAST_LEFT


@dataclass(frozen=True)
class Place:
    """Where a picture lies in a frame, in pixels; what is around it is empty."""

    left: int
    top: int
    width: int
    height: int


def crop(picture: np.ndarray, left: float, right: float, top: float, bottom: float) -> np.ndarray:
    """Cut away these shares of the sides; a view. Crops that meet leave LEAST_LEFT between them."""
    height, width = picture.shape[:2]
    rows, columns = _left_between(top, bottom, height), _left_between(left, right, width)
    return picture[rows, columns]


def fit(picture: np.ndarray, how: str, size: tuple[int, int]) -> tuple[np.ndarray, Place]:
    """Bring a picture to `size` (width, height) and say where in it the picture lies.

    fill covers the frame and loses edges, fit shows the whole picture between black bars, stretch bends it.
    """
    width, height = size
    if how == "fill":
        return resize(_middle(picture, width / height), size), Place(0, 0, width, height)
    if how == "stretch":
        return resize(picture, size), Place(0, 0, width, height)
    place = letterbox(picture.shape[1], picture.shape[0], size)
    inside = resize(picture, (place.width, place.height))
    if (place.width, place.height) == size:
        return inside, place
    frame = np.zeros((height, width, picture.shape[2]), np.uint8)
    frame[place.top : place.top + place.height, place.left : place.left + place.width] = inside
    return frame, place


def letterbox(width: int, height: int, size: tuple[int, int]) -> Place:
    """Place a picture of this shape whole and in the middle of a frame of `size`."""
    scale = min(size[0] / width, size[1] / height)
    shown = max(1, round(width * scale)), max(1, round(height * scale))
    return Place((size[0] - shown[0]) // 2, (size[1] - shown[1]) // 2, *shown)


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale to (width, height) without aliasing: means of whole blocks first, the rest between neighbours.

    Means over blocks that are no whole pixels cost five times as much and show no better.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    across, down = max(1, width // size[0]), max(1, height // size[1])
    if across > 1 or down > 1:
        whole = picture[: height // down * down, : width // across * across]  # at most a block's rest is lost
        picture = cv2.resize(whole, (width // across, height // down), interpolation=cv2.INTER_AREA)
    if picture.shape[1::-1] == size:
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)


def flip(picture: np.ndarray, *, horizontal: bool, vertical: bool) -> np.ndarray:
    """Swap left and right, top and bottom."""
    if not (horizontal or vertical):
        return picture
    return cv2.flip(picture, -1 if horizontal and vertical else 1 if horizontal else 0)


def _middle(picture: np.ndarray, ratio: float) -> np.ndarray:
    """The largest part of this width to height around the middle; a view."""
    height, width = picture.shape[:2]
    kept_width, kept_height = min(width, round(height * ratio)), min(height, round(width / ratio))
    left, top = (width - max(1, kept_width)) // 2, (height - max(1, kept_height)) // 2
    return picture[top : top + max(1, kept_height), left : left + max(1, kept_width)]


def _left_between(first: float, last: float, length: int) -> slice:
    """What two crops leave of `length` pixels."""
    scale = min(1.0, (1.0 - LEAST_LEFT) / max(first + last, LEAST_LEFT))
    start, end = round(first * scale * length), length - round(last * scale * length)
    return slice(min(start, length - 1), max(end, min(start, length - 1) + 1))
