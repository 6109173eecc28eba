"""Spout to programs on the same computer, through SpoutGL. Windows."""

from __future__ import annotations

import numpy as np

from vj.sharing.kinds import KIND_OF
from vj.sharing.senders.sender import Opening, SenderError, load

KIND = KIND_OF["spout"]


class SpoutSender:
    """One sender. Spout says nothing of receivers."""

    note = ""
    receivers = None

    def __init__(self, opening: Opening) -> None:
        """Find a graphics card for it. Raises SenderError."""
        spout = load(KIND, "SpoutGL")
        self._format = load(KIND, "SpoutGL.enums").GL_RGBA
        self.name = opening.name
        self._sender = spout.SpoutSender()
        if not self._sender.createOpenGL():
            raise SenderError("Spout finds no OpenGL on this computer")
        self._sender.setSenderName(opening.name)

    def send(self, pixels: np.ndarray) -> None:
        """Copy the picture into the shared texture, and say that there is another."""
        height, width = pixels.shape[:2]
        if not self._sender.sendImage(pixels, width, height, self._format, False, 0):
            raise SenderError("Spout takes no pictures: the graphics card does not share its textures")
        self._sender.setFrameSync(self.name)

    def close(self) -> None:
        """Take it off the list."""
        self._sender.releaseSender()
        self._sender.closeOpenGL()
