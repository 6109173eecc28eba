"""A camera that other programs open, through pyvirtualcam: v4l2loopback on Linux, OBS's, Unity Capture on Windows."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from vj.sharing.kinds import KIND_OF
from vj.sharing.senders.sender import Opening, SenderError, load

KIND = KIND_OF["camera"]
MENDING = {
    "linux": "sudo apt install v4l2loopback-dkms; sudo modprobe v4l2loopback exclusive_caps=1 card_label='VJ Output'",
    "win32": "install OBS, which brings a virtual camera, or Unity Capture",
    "darwin": "install OBS, start and stop its virtual camera once, and close it",
}
NAMES = Path("/sys/class/video4linux")


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
            raise SenderError(f"no virtual camera can be opened ({why}): {MENDING.get(sys.platform, '')}") from None
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


def camera_name(device: str) -> str:
    """Name a device as programs list it: on Linux its label."""
    label = NAMES / Path(device).name / "name"
    return label.read_text("utf-8").strip() if device.startswith("/dev/") and label.is_file() else device
