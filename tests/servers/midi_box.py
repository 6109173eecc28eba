"""A MIDI controller of our own on a JACK server: one port that sends, one that takes what lights it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_until(is_true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Look until it is so."""
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


class MidiBox:
    """A plugged controller. The environment must name the JACK server."""

    def __init__(self, name: str) -> None:
        import rtmidi

        self._lock = threading.Lock()
        self._received: list[bytes] = []
        self._port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=name)
        self._port.open_virtual_port("slider")
        self._lights = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=f"{name} lights")
        self._lights.ignore_types(sysex=False, timing=False, active_sense=False)
        self._lights.set_callback(self._note)
        self._lights.open_virtual_port("in")
        self._is_plugged = True

    def send(self, *message: int) -> None:
        """Send one message."""
        self._port.send_message(message)

    def received(self) -> list[bytes]:
        """What was sent to it so far."""
        with self._lock:
            return list(self._received)

    def forget(self) -> None:
        """Begin to collect anew."""
        with self._lock:
            self._received.clear()

    def unplug(self) -> None:
        """Pull the cable; once is enough."""
        if self._is_plugged:  # rtmidi crashes when a client is deleted twice
            self._is_plugged = False
            self._lights.cancel_callback()  # closing waits for the driver's thread, which may wait for the interpreter
            time.sleep(0.02)
            for port in (self._port, self._lights):
                port.close_port()
                port.delete()

    def _note(self, event: tuple[list[int], float], _: object) -> None:
        with self._lock:
            self._received.append(bytes(event[0]))
