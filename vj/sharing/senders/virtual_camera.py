"""A camera that other programs open, through pyvirtualcam: v4l2loopback on Linux, OBS's, Unity Capture on Windows."""

from __future__ import annotations

import sys

import cv2
import numpy as np

from vj.sharing.drivers import CAMERA_DRIVERS, camera_name
from vj.sharing.kinds import KIND_OF
from vj.sharing.senders.sender import Opening, SenderError, load

KIND = KIND_OF["camera"]


class CameraSender:
    """One virtual camera. It says nothing of receivers."""

    note = ""
    receivers = None

    def __init__(self, opening: Opening) -> None:
        """Open it. Raises SenderError."""
        camera = load(KIND, "pyvirtualcam")
        try:
            self._camera = camera.Camera(
                opening.width, opening.height, float(opening.rate), fmt=camera.PixelFormat.RGB,
                device=opening.name or None,
            )  # fmt: skip
        except RuntimeError as error:  # one line per backend
            why = " ".join(str(error).split())
            raise SenderError(
                f"no virtual camera can be opened ({why}): {CAMERA_DRIVERS.get(sys.platform, '')}"
            ) from None
        self.name = camera_name(self._camera.device)

    def send(self, pixels: np.ndarray) -> None:
        """Hand the picture over."""
        try:
            self._camera.send(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB))
        except (RuntimeError, OSError) as error:
            raise SenderError(f"the virtual camera {self.name} takes no pictures: {error}") from None

    def close(self) -> None:
        """Let go of it."""
        self._camera.close()
