"""What a control maker is: a function from pictures to the pictures that guide, and what it remembers between calls.

Numpy only. Makers are called with plain arrays by the live engine, by rendering and by training alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class MadeControl:
    """What guides, and what the maker wants back with the frames that follow these."""

    pixels: np.ndarray  # (T, H, W, 3) uint8, RGB
    carried: object | None = None  # opaque: only the maker that made it reads it


class ControlMaker(Protocol):
    """Makes a control of frames (T, H, W, 4 or 3) uint8 RGB; T is 1 or more. Never alters what it is given."""

    def __call__(self, frames: np.ndarray, detail: float, carried: object | None = None) -> MadeControl:
        """`detail` is 0..1; `carried` is what the call before returned, None at the start of a stream.

        A clip in one call and the same clip in pieces, each with the `carried` of the one before, give the same.
        """
        ...
