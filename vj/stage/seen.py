"""A small copy of what an output draws while it is not the stream: from the stage to the panels' programme.

The stream itself the panels read from the ring. Knows nothing of windows, files or processes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.frame_ring import Frame
from vj.stage.block import LONGEST_MESSAGE_BYTES, Lane

if TYPE_CHECKING:
    from vj.output.continuity import Layer

BESIDE_THE_STREAM = (
    "waiting",
    "fallback",
    "freeze",
)  # states of the output in which the ring does not tell what is seen
SIZE = struct.Struct("<HH")  # width, height in pixels; RGBA8 follows, top row first
RGBA_BYTES = 4


class SeenPicture:
    """The panels' end: the newest picture, decoded once. Belongs to one thread; never waits."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._frame: Frame | None = None

    def frame(self) -> Frame | None:
        """Return the newest picture, the very same object while it is the same one; None before the first."""
        if self._lane.is_new:
            self._frame = decode_seen(self._lane.read())
        return self._frame


def encode_seen(layers: Sequence[Layer]) -> bytes:
    """Return what these layers add up to, as small as a message has to be; nothing for no layer."""
    if not layers:
        return b""
    height, width, _ = layers[0].picture.first.pixels.shape
    step = 1
    while -(-width // step) * -(-height // step) * RGBA_BYTES > LONGEST_MESSAGE_BYTES - SIZE.size:
        step += 1
    pixels = _nearest(layers[0])[::step, ::step]
    if len(layers) == 2 and layers[0].picture.first.pixels.shape == layers[1].picture.first.pixels.shape:
        share = np.float32(layers[1].share)
        pixels = (pixels * (1 - share) + _nearest(layers[1])[::step, ::step] * share).astype(np.uint8)
    elif len(layers) == 2 and layers[1].share > layers[0].share:
        return encode_seen(layers[1:])
    return SIZE.pack(pixels.shape[1], pixels.shape[0]) + np.ascontiguousarray(pixels).tobytes()


def decode_seen(message: bytes) -> Frame | None:
    """Return the picture in a message; None where there is none."""
    if len(message) < SIZE.size:
        return None
    width, height = SIZE.unpack_from(message)
    if not width or len(message) != SIZE.size + width * height * RGBA_BYTES:
        return None
    pixels = np.frombuffer(message, np.uint8, offset=SIZE.size).reshape(height, width, RGBA_BYTES)
    return Frame(pixels, 0, 0, 0.0, 0, 0, 0)


def _nearest(layer: Layer) -> np.ndarray:
    picture = layer.picture
    return (picture.first if picture.share < 0.5 else picture.second).pixels
