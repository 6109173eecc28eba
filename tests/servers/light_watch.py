"""What a display or an input shows as numbers over time: its brightness, or a few broad fields of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

import cv2
import numpy as np

FIELDS = (16, 9)  # across, down


class LightWatch:
    """A thread that samples a display. Use as a context manager; read what it has seen at any time."""

    def __init__(
        self, picture: Callable[[], np.ndarray], every_s: float, late_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        """`picture` gives (H, W, 3 or 4) uint8; `late_s` how long ago what it shows came in."""
        self._picture, self._every_s, self._late_s = picture, every_s, late_s
        self._samples: list[tuple[int, int, np.ndarray]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="light watch", daemon=True)

    def __enter__(self) -> LightWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def seen(self, since_ns: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Moments (T,) int64 in time.monotonic_ns() and fields (T, 9, 16) 0..255 since one of them."""
        samples = [sample for sample in list(self._samples) if sample[0] >= since_ns]
        return _stacked([(at_ns, fields) for at_ns, _, fields in samples])

    def came(self, since_ns: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """The same with the moments at which what was seen came in."""
        samples = [sample for sample in list(self._samples) if sample[0] >= since_ns]
        return _stacked([(came_ns, fields) for _, came_ns, fields in samples])

    def brightness(self, since_ns: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Moments and mean brightness 0..255."""
        moments, fields = self.seen(since_ns)
        return moments, fields.mean(axis=(1, 2))

    def forget(self) -> None:
        """Drop what was seen so far."""
        self._samples.clear()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            at_ns = time.monotonic_ns()
            self._samples.append((at_ns, at_ns - round(1e9 * self._late_s()), broad_fields(self._picture())))


def _stacked(samples: list[tuple[int, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    fields = np.array([fields for _, fields in samples], np.float32).reshape(-1, FIELDS[1], FIELDS[0])
    return np.array([at_ns for at_ns, _ in samples], np.int64), fields


def broad_fields(pixels: np.ndarray) -> np.ndarray:
    """Brightness of a picture (H, W, 3 or 4) uint8 in broad fields, (9, 16) float32."""
    return cv2.resize(pixels[..., :3].mean(axis=-1, dtype=np.float32), FIELDS, interpolation=cv2.INTER_AREA)
