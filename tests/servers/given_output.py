"""An output without a stage: a test writes stamped pictures into the output's ring itself, as the stage does.

Every picture can be drawn again from its number, so that whoever received it can say what was lost.
"""

from __future__ import annotations

import functools
import threading
import time
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from engine.frame_stamp import BITS, COLUMNS, ROWS, cell_pixels, read_stamp, stamp_frame
from engine.video_in.input_ring import InputRing

RING_NAME = "output.pictures"
SEED = 8
STEP = 2  # columns the picture moves by from one to the next: even, as chroma is held for pairs
NUMBERS = 1 << BITS


@functools.cache
def _ground(width: int, height: int) -> np.ndarray:
    """(height, width, 4) uint8: clouds of colour at four sizes, as a picture has them, without wrap at the edge."""
    rng = np.random.default_rng(SEED)
    levels = np.zeros((height, width, 3), np.float32)
    for cells, share in ((3, 1.0), (8, 0.5), (24, 0.2), (64, 0.08)):
        noise = rng.random((max(2, cells * height // width), cells, 3), np.float32)
        levels += share * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = np.percentile(levels, (1, 99))
    rgb = np.clip(np.round(16 + 224 * (levels - low) / (high - low)), 0, 255).astype(np.uint8)
    return np.dstack([rgb, np.full((height, width), 255, np.uint8)])


def draw(number: int, width: int, height: int) -> np.ndarray:
    """Picture `number`, (height, width, 4) uint8 RGBA, its number in every corner."""
    picture = np.roll(_ground(width, height), STEP * number % width, 1)
    stamp_frame(picture, number)
    return picture


def number_of(picture: np.ndarray) -> int | None:
    """Read the number in the upper left corner of (H, W, >=3) uint8; None where there is none."""
    side = cell_pixels(picture.shape[1])
    corner = picture[: ROWS * side, : COLUMNS * side, 1].reshape(ROWS, side, COLUMNS, side)
    inner = corner[:, side // 4 : side - side // 4, :, side // 4 : side - side // 4]
    return read_stamp(inner.mean((1, 3)))


def psnr_db(picture: np.ndarray, wanted: np.ndarray) -> float:
    """Peak signal to noise ratio of two uint8 pictures."""
    error = float(np.mean((picture.astype(np.float32) - wanted.astype(np.float32)) ** 2))
    return 99.0 if error == 0.0 else float(10.0 * np.log10(255.0**2 / error))


class GivenOutput:
    """Writes picture after picture at a rate. A context manager; `written` and `moments_ns` may be read by any."""

    def __init__(self, folder: Path, size: tuple[int, int], rate_fps: float, seconds_kept: float = 0.5) -> None:
        """`folder` is the run's; `size` is width and height."""
        self.path = folder / RING_NAME
        self.size, self.rate_fps = size, rate_fps
        self.written = 0  # pictures so far: their numbers are 0 to this - 1
        self.moments_ns: list[int] = []  # of each
        self._capacity = max(4, round(seconds_kept * rate_fps))
        self._ring = self._make()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="given output", daemon=True)

    def resize(self, width: int, height: int) -> None:
        """Go on in a new file of another size, as the stage does. Called while it does not run."""
        self._ring.close()
        self.size = (width, height)
        self._ring = self._make()

    def write(self) -> None:
        """Write the next picture now."""
        now_ns = time.monotonic_ns()
        self._ring.write(draw(self.written % NUMBERS, *self.size), now_ns)
        self.moments_ns.append(now_ns)
        self.written += 1

    def __enter__(self) -> GivenOutput:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._ring.close()
        self.path.unlink(missing_ok=True)

    def _make(self) -> InputRing:
        width, height = self.size
        return InputRing.create(self.path, width=width, height=height, capacity=self._capacity)

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stop.wait(max(0.0, due_s - time.monotonic())):
            self.write()
            due_s = max(due_s + 1.0 / self.rate_fps, time.monotonic() - 0.1)
