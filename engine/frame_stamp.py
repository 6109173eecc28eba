"""A frame's number as black and white squares in all four corners, for whoever looks at a captured screen.

A picture of which the corners differ is torn; one with the number before is repeated. Numbers are in Gray code: of two
frames one after the other a single square differs, so that a blend of both still reads as one of them.
"""

from __future__ import annotations

import numpy as np

ROWS, COLUMNS = 2, 10  # squares of a stamp: a white column, eight of bits, a black column
BITS = 16  # read row by row, highest first
NUMBERS = 1 << BITS  # after these the count begins anew
CELLS_ACROSS = 32  # a square's side is this share of the picture's width


def cell_pixels(width: int) -> int:
    """Side of a square in a picture so many pixels wide."""
    return max(1, width // CELLS_ACROSS)


def stamp_frame(frame: np.ndarray, number: int) -> None:
    """Draw a number into the corners of one frame (H, W, 4) uint8 RGBA, in place; it is taken modulo NUMBERS."""
    stamp = np.kron(_squares(number), np.ones((cell_pixels(frame.shape[1]),) * 2, np.uint8))[..., None] * 255
    height, width = (min(a, b) for a, b in zip(stamp.shape[:2], frame.shape[:2], strict=True))
    for rows in (slice(None, height), slice(-height, None)):
        for columns in (slice(None, width), slice(-width, None)):
            frame[rows, columns, :3] = stamp[:height, :width]


def read_stamp(squares: np.ndarray) -> int | None:
    """Number of a stamp from its squares' brightness, (ROWS, COLUMNS) 0..255; None where there is no stamp."""
    white, black = squares[:, 0].min(), squares[:, -1].max()
    if white - black < 64:
        return None
    code = 0
    for bit in (squares[:, 1:-1] > (float(white) + float(black)) / 2).ravel():
        code = code << 1 | int(bit)
    number = 0
    while code:
        number ^= code
        code >>= 1
    return number


def _squares(number: int) -> np.ndarray:
    number %= NUMBERS
    code = number ^ number >> 1
    squares = np.zeros((ROWS, COLUMNS), np.uint8)
    squares[:, 0] = 1
    bits = [code >> shift & 1 for shift in reversed(range(BITS))]
    squares[:, 1:-1] = np.array(bits, np.uint8).reshape(ROWS, COLUMNS - 2)
    return squares
