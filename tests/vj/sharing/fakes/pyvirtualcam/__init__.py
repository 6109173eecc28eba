"""pyvirtualcam as published: a camera and its formats."""

from __future__ import annotations

from enum import Enum

import numpy as np

received: list[np.ndarray] = []
events: list[tuple[str, str]] = []
fails: list[str] = []


class PixelFormat(Enum):
    """As the library's, as far as one is asked for."""

    RGB = "raw "
    RGBA = "ABGR"


class Camera:
    """As the library's class."""

    def __init__(
        self, width: int, height: int, fps: float, *, fmt: PixelFormat = PixelFormat.RGB, device: str | None = None,
        backend: str | None = None, print_fps: bool = False,
    ) -> None:  # fmt: skip
        if "createOpenGL" in fails:
            raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback devices found")
        assert fmt is PixelFormat.RGB and isinstance(fps, float) and device != ""
        self._shape, self.device = (height, width, 3), device or "Fake Camera"
        events.append(("name", self.device))

    def send(self, frame: np.ndarray) -> None:
        if "sendImage" in fails:
            raise RuntimeError("the device is gone")
        assert frame.dtype == np.uint8 and frame.shape == self._shape
        received.append(np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]))

    def close(self) -> None:
        events.append(("released", self.device))
