"""Syphon to programs on the same computer, through syphon-python and Metal. macOS."""

from __future__ import annotations

from itertools import cycle

import cv2
import numpy as np

from vj.sharing.kinds import KIND_OF
from vj.sharing.senders.sender import Opening, load

KIND = KIND_OF["syphon"]
TURN_S = 0.001  # of the run loop, at each picture: there the system asks who serves
TEXTURES = 3  # the card may still read the one before


class SyphonSender:
    """One server. Its textures are BGRA, as those it shares: then they are copied, not drawn."""

    note = ""

    def __init__(self, opening: Opening) -> None:
        """Announce it. Raises SenderError."""
        syphon, metal = load(KIND, "syphon"), load(KIND, "Metal")
        make = load(KIND, "syphon.utils.raw").create_mtl_texture
        self._copy = load(KIND, "syphon.utils.numpy").copy_image_to_mtl_texture
        self.name = opening.name
        self._server = syphon.SyphonMetalServer(opening.name)
        self._directory = syphon.SyphonServerDirectory()
        self._directory.run_loop_interval = TURN_S
        size = opening.width, opening.height
        textures = [make(self._server.device, *size, metal.MTLPixelFormatBGRA8Unorm) for _ in range(TEXTURES)]
        self._textures = cycle(textures)

    @property
    def receivers(self) -> int:
        """1 when anybody receives: Syphon does not say how many."""
        return int(self._server.has_clients)

    def send(self, pixels: np.ndarray) -> None:
        """Publish the picture. Its first row is the top one, which Syphon calls flipped."""
        texture = next(self._textures)
        self._copy(cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA), texture)
        self._server.publish_frame_texture(texture, is_flipped=True)
        self._directory.update_run_loop()

    def close(self) -> None:
        """Take it off the list."""
        self._server.stop()
