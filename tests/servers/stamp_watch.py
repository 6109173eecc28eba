"""What an audience would complain of: black, torn and still pictures, seen in the pixels of a display.

Reads the display's own memory a hundred times a second and the number that a stamped test pattern writes into all
four corners. Knows nothing of the program that draws.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np

from engine.frame_stamp import CELLS_ACROSS, COLUMNS, ROWS, read_stamp
from tests.servers.xvfb import XWD_HEADER, XDisplay

LOOK_EVERY_S = 0.008
STANDS_S = 0.02  # a display is read while it is copied to: what is torn for so long was drawn so
BLIND_S = 0.05  # a longer pause between two looks is the watcher's own fault and proves nothing
DARKEST = 4  # of 255: no part brighter is black
FLAT = 24  # of 255 between the darkest and the brightest value of each colour: next to nothing is to be seen
SPREAD = 72  # of 255 between the same square in two corners: they belong to different frames
STEP = 6  # pixels between those that are compared from look to look
ZOOMS = tuple(1.0 + 0.004 * k for k in range(11))  # a picture that waits is enlarged by up to 4 %


@dataclass
class Darkness:
    """A stretch of black looks, and how bright the brightest part (0..255) was in the look before it."""

    began: float
    peak_before: int
    seconds: float = 0.0


@dataclass
class Sight:
    """What was seen over a stretch of time. Times are time.monotonic()."""

    looks: int = 0
    seconds: float = 0.0
    black: list[float] = field(default_factory=list)
    darknesses: list[Darkness] = field(default_factory=list)
    torn: list[float] = field(default_factory=list)
    flat: int = 0  # looks at one colour all over, as without contrast: whether that moves nobody can see
    half_copied: int = 0  # looks that came in the middle of a copy
    longest_still_s: float = 0.0
    longest_still_at: float = 0.0
    longest_blind_s: float = 0.0  # between two looks
    look_cost_ms: float = 0.0
    numbers: list[tuple[float, int]] = field(default_factory=list)  # when a stamp was first seen

    def figures(self) -> dict[str, float]:
        """Numbers for a report."""
        return {
            "seconds": round(self.seconds, 1),
            "looks": self.looks,
            "black_looks": len(self.black),
            "torn_frames": len(self.torn),
            "half_copied_looks": self.half_copied,
            "longest_still_ms": round(1e3 * self.longest_still_s),
            "longest_pause_between_looks_ms": round(1e3 * self.longest_blind_s),
            "mean_look_ms": round(self.look_cost_ms, 3),
        }


class StampWatch:
    """A thread that looks at a display whose whole area shows a stamped picture. Use as a context manager."""

    def __init__(self, display: XDisplay, *, is_stamped: bool = True) -> None:
        """`is_stamped` False looks for black and still pictures alone."""
        header = XWD_HEADER.unpack_from(display.framebuffer.read_bytes()[: XWD_HEADER.size])
        start = header[0] + header[19] * 12  # 12 bytes per colour map entry
        shape = (display.height, header[12] // 4, 4)
        pixels = np.memmap(display.framebuffer, np.uint8, "r", start, shape)
        self._pixels = pixels[:, : display.width, :3]
        self._places = [_places(display.width, display.height, zoom) for zoom in ZOOMS]
        self._is_stamped = is_stamped
        # a model's dark corner, enlarged, moves by a level at a time; one picture drawn twice is the same to the bit
        self._unmoved = 1 if is_stamped else 0
        self._sight = Sight()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stamp watch", daemon=True)

    def __enter__(self) -> StampWatch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def take(self) -> Sight:
        """Return what was seen since the last call, and begin anew."""
        with self._lock:
            seen, self._sight = self._sight, Sight()
        return seen

    def picture(self) -> np.ndarray:
        """Copy of every sixth pixel each way of what is on the display now, (H / 6, W / 6, 3) uint8."""
        return np.array(self._pixels[::STEP, ::STEP])

    def number(self) -> int | None:
        """Read the stamp of what is on the display now."""
        corners = self._corners()
        return None if corners is None else read_stamp(corners[0])

    def mean_colour(self) -> np.ndarray:
        """Mean of the picture without its corners, (3,) RGB 0..255."""
        height = self._pixels.shape[0]
        return self._pixels[height // 4 : -height // 4, :, ::-1].mean(axis=(0, 1))

    def _run(self) -> None:
        last, moved_at, looked_at = None, time.monotonic(), time.monotonic()
        darkness: Darkness | None = None
        peak = 0
        while not self._stop.wait(LOOK_EVERY_S):
            now = time.monotonic()
            pause, looked_at = now - looked_at, now
            picture = self.picture().astype(np.int16)
            is_flat = not self._is_stamped and np.ptp(picture, axis=(0, 1)).max() <= FLAT
            if pause > BLIND_S or last is None or is_flat or np.abs(picture - last).max() > self._unmoved:
                last, moved_at = picture, now
            is_black = picture.max() <= DARKEST
            is_torn, is_half = (False, False) if is_black or not self._is_stamped else self._judge_corners()
            number = None if is_black or not self._is_stamped else self.number()
            with self._lock:
                sight = self._sight
                sight.looks += 1
                sight.flat += bool(is_flat)
                sight.seconds += pause
                sight.look_cost_ms += (1e3 * (time.monotonic() - now) - sight.look_cost_ms) / min(sight.looks, 200)
                sight.longest_blind_s = max(sight.longest_blind_s, pause)
                if is_black:
                    sight.black.append(now)
                    if darkness is None:
                        darkness = Darkness(now, peak)
                        sight.darknesses.append(darkness)
                    darkness.seconds = now - darkness.began
                else:
                    darkness, peak = None, int(picture.max())
                if is_torn:
                    sight.torn.append(now)
                sight.half_copied += is_half
                if now - moved_at > sight.longest_still_s:
                    sight.longest_still_s, sight.longest_still_at = now - moved_at, now
                if number is not None and (not sight.numbers or sight.numbers[-1][1] != number):
                    sight.numbers.append((now, number))

    def _judge_corners(self) -> tuple[bool, bool]:
        """Whether the corners belong to different frames, and whether that was gone soon after."""
        end = time.monotonic() + STANDS_S
        is_first = True
        while self._corners() is None:
            if time.monotonic() > end:
                return True, False
            is_first = False
            time.sleep(0.002)
        return False, not is_first

    def _corners(self) -> np.ndarray | None:
        """Brightness of the squares of all corners, (4, ROWS, COLUMNS); None when the corners differ."""
        for rows, columns in self._places:
            corners = self._pixels[rows, columns].mean(axis=-1)
            if np.ptp(corners, axis=0).max() <= SPREAD:
                return corners
        return None


def _places(width: int, height: int, zoom: float) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the middle of every square in an enlarged picture, each (4, ROWS, COLUMNS)."""
    side = width / CELLS_ACROSS
    across, down = (np.arange(COLUMNS) + 0.5) * side, (np.arange(ROWS) + 0.5) * side
    columns, rows = [], []
    for y in (down, height - ROWS * side + down):
        for x in (across, width - COLUMNS * side + across):
            columns.append(np.broadcast_to(x[None, :], (ROWS, COLUMNS)))
            rows.append(np.broadcast_to(y[:, None], (ROWS, COLUMNS)))
    x = width / 2 + (np.array(columns) - width / 2) * zoom
    y = height / 2 + (np.array(rows) - height / 2) * zoom
    return np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)
