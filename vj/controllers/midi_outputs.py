"""The open MIDI outputs, shared by lights and MIDI clock.

Filled by the watch over the ports. Knows nothing of drivers or of what is sent.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from types import MappingProxyType

from vj.controllers.midi_drivers import OpenOutput


class MidiOutputs:
    """Any thread may send, and waits for another send at most; `add` and `drop` belong to the watching thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the ports: one must not be closed while it sends
        self._ports: dict[str, tuple[str, OpenOutput]] = {}  # listed name -> (device, port)
        self._connections: Mapping[str, int] = MappingProxyType({})
        self._counter = itertools.count(1)

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of the devices that can be sent to now. Never waits."""
        return tuple(self._connections)

    @property
    def connections(self) -> Mapping[str, int]:
        """Devices with a number that is another one after each plugging. Never waits."""
        return self._connections

    def send(self, message: bytes) -> None:
        """Send one whole message to every output: MIDI clock."""
        with self._lock:
            for _, port in self._ports.values():
                port.send(message)

    def send_to(self, device: str, message: bytes) -> None:
        """Send one whole message to one device; to one that is gone it is lost."""
        with self._lock:
            for name, port in self._ports.values():
                if name == device:
                    port.send(message)

    def add(self, listed_name: str, device: str, port: OpenOutput) -> None:
        """Take a port that was opened."""
        with self._lock:
            self._ports[listed_name] = (device, port)
            self._connections = MappingProxyType({**self._connections, device: next(self._counter)})

    def drop(self, listed_name: str) -> None:
        """Close a port and forget it; waits up to a second, and lets nobody else wait."""
        with self._lock:
            device, port = self._ports.pop(listed_name)
            left = {name for name, _ in self._ports.values()}
            self._connections = MappingProxyType({d: n for d, n in self._connections.items() if d in left})
        port.close()

    def opened(self) -> set[str]:
        """Listed names of the open ports."""
        with self._lock:
            return set(self._ports)
