"""A UDP port and the thread that reads it: opened when made, closed when stopped. Knows nothing of what comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

STOP_CHECK_S = 0.05  # how long a reader may wait for a datagram before it asks whether it is to stop
STOP_S = 1.0


class Listener:
    """Started and stopped by one thread; `read` runs on the listener's own and returns once `is_stopping`."""

    def __init__(self, opened: socket.socket, name: str, read: Callable[[], None]) -> None:
        """`opened` is closed by `stop`; it never waits from now on."""
        self.socket = opened
        self.socket.setblocking(False)
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=read, name=name, daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether the reader has to return. Any thread."""
        return self._is_stopping.is_set()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port; waits at most STOP_S for the thread."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
        self.socket.close()
