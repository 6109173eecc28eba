"""Pictures that other programs on Windows share through Spout: `spout:NAME`. Needs the extra `spout`."""

from __future__ import annotations

import sys
import time

import av
import numpy as np

from vj.inputs.params import InputParams
from vj.inputs.sources.extras import import_extra
from vj.inputs.sources.source import Picture, SourceError, SourceFacts

INSTALL = "pip install 'vj[spout]'"
WAIT_MS = 50
LOST_S = 2.0
CHANNELS = 4


class SpoutSource:
    """One sender. Received into memory: the pictures go to other processes anyhow."""

    keeps = False
    is_held = False
    position_s = 0.0

    def __init__(self, wanted: str) -> None:
        """Connect to the sender of this name; empty = the one that is active. Raises SourceError."""
        if sys.platform != "win32":
            raise SourceError("Spout is there on Windows only; use ndi:NAME here")
        spout = import_extra("SpoutGL", "Spout", INSTALL)
        self._format = import_extra("SpoutGL.enums", "Spout", INSTALL).GL_RGBA
        self._name = wanted
        self._receiver = spout.SpoutReceiver()
        if not self._receiver.createOpenGL():
            raise SourceError("Spout finds no OpenGL on this computer")
        self._receiver.setReceiverName(wanted)
        self._pixels: np.ndarray | None = None
        self._seen_s = time.monotonic()
        self.facts = SourceFacts(f"Spout {wanted}".strip())

    def read(self, settings: InputParams) -> Picture | None:
        """Wait for the sender's next picture."""
        receiver = self._receiver
        buffer = None if self._pixels is None else self._pixels.reshape(-1)
        is_received = receiver.receiveImage(buffer, self._format, False, 0)
        if receiver.isUpdated():
            size = receiver.getSenderHeight(), receiver.getSenderWidth()
            self._pixels = np.zeros((*size, CHANNELS), np.uint8)
            return None
        if not is_received or self._pixels is None or not receiver.isFrameNew():
            if receiver.isConnected():
                self._seen_s = time.monotonic()
            elif time.monotonic() - self._seen_s > LOST_S:
                raise SourceError(f"there is no Spout sender {self._name!r}")
            receiver.waitFrameSync(self._name, WAIT_MS)
            return None
        self._seen_s = time.monotonic()
        return Picture(av.VideoFrame.from_ndarray(self._pixels, "rgba"), time.monotonic_ns())

    def close(self) -> None:
        """Disconnect."""
        self._receiver.releaseReceiver()
        self._receiver.closeOpenGL()


def list_spout() -> tuple[str, ...]:
    """Names of the senders. Raises SourceError without the extra."""
    with import_extra("SpoutGL", "Spout", INSTALL).SpoutReceiver() as receiver:
        return tuple(receiver.getSenderList())
