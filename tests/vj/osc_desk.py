"""An ear on OSC for tests of the real command: what it was told, by address."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from types import TracebackType

from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage


class OscDesk:
    """Listens at a port of its own; give `address` to --osc-out. Used by one thread."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.heard: dict[str, list[object]] = {}

    def __enter__(self) -> OscDesk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def listen(self, until: Callable[[], bool], timeout_s: float = 15.0) -> None:
        """Take in what comes until something holds; fails when it does not in time."""
        end = time.monotonic() + timeout_s
        while not until():
            assert time.monotonic() < end, {address: values[-1:] for address, values in self.heard.items()}
            try:
                self._take(self._socket.recv(65536))
            except TimeoutError:
                continue

    def last(self, address: str) -> object:
        """Return the newest value told at an address; None before the first."""
        return self.heard.get(address, [None])[-1]

    def _take(self, datagram: bytes) -> None:
        messages = list(OscBundle(datagram)) if OscBundle.dgram_is_bundle(datagram) else [OscMessage(datagram)]
        for message in messages:
            if isinstance(message, OscMessage):
                self.heard.setdefault(message.address, []).extend(message.params)
