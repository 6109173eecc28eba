"""SpoutGL as published: what a sender has of it."""

from __future__ import annotations

import numpy as np

received: list[np.ndarray] = []
events: list[tuple[str, str]] = []
fails: list[str] = []  # names of calls that are refused


class SpoutSender:
    """As the library's class."""

    def __init__(self) -> None:
        self._name = ""

    def createOpenGL(self) -> bool:  # noqa: N802
        return "createOpenGL" not in fails

    def closeOpenGL(self) -> bool:  # noqa: N802
        return True

    def setSenderName(self, name: str) -> None:  # noqa: N802
        assert isinstance(name, str)
        self._name = name
        events.append(("name", name))

    def sendImage(self, pixels, width: int, height: int, gl_format: int, invert: bool, host_fbo: int) -> bool:  # noqa: N802
        data = memoryview(pixels)
        assert data.c_contiguous and data.nbytes >= width * height * 4 and gl_format == 0x1908 and host_fbo == 0
        if "sendImage" in fails:
            return False
        rows = np.frombuffer(data, np.uint8)[: width * height * 4].reshape(height, width, 4).copy()
        received.append(rows[::-1] if invert else rows)
        return True

    def setFrameSync(self, name: str) -> None:  # noqa: N802
        assert name == self._name, "the event is the sender's"
        events.append(("frame", name))

    def releaseSender(self) -> None:  # noqa: N802
        events.append(("released", self._name))
