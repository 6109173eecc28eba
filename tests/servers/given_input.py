"""An input without a camera: a test writes its frames into the run's rings itself, at moments it knows.

Stands in for a capture process, `python -m vj.inputs.capture`, whose files these are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import numpy as np

from engine.video_in.input_ring import InputRing, ring_name

USES = {"engine": 64, "layer": 3}  # frames of each ring


class GivenInput:
    """Writes `draw(seconds since the begin)` (H, W, 3) uint8 at a rate. Use as a context manager."""

    def __init__(
        self,
        folder: Path,
        number: int,
        draw: Callable[[float], np.ndarray],
        size: tuple[int, int],
        rate_fps: float = 30.0,
    ) -> None:
        """`folder` is the run's; `size` (width, height) that of the stream."""
        width, height = size
        self._rings = [
            InputRing.create(folder / ring_name(number, use), width=width, height=height, capacity=capacity)
            for use, capacity in USES.items()
        ]
        self._draw, self._rate_fps = draw, rate_fps
        self.began_ns = time.monotonic_ns()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="given input", daemon=True)

    def __enter__(self) -> GivenInput:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for ring in self._rings:
            ring.close()
            ring.path.unlink(missing_ok=True)

    def _run(self) -> None:
        due_s = 0.0
        while not self._stop.wait(max(0.0, due_s - self._now_s())):
            now_ns = time.monotonic_ns()
            rgb = self._draw((now_ns - self.began_ns) / 1e9)
            rgba = np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], axis=-1)
            for ring in self._rings:
                ring.write(rgba, now_ns)
            due_s = max(due_s + 1.0 / self._rate_fps, self._now_s() - 1.0)

    def _now_s(self) -> float:
        return (time.monotonic_ns() - self.began_ns) / 1e9
