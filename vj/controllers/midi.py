"""MIDI in: ports are found by name, opened when a mapping plays them, and opened again when they come back.

Turns messages into control events. Knows nothing of drivers or of what a control means.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from vj.controllers.midi_decoder import MidiDecoder
from vj.controllers.midi_ports import MidiPorts, MidiUnavailableError, OpenPort, RtMidiPorts, device_name
from vj.controllers.router import Router

LOOK_EVERY_S = 1.0  # a controller plugged in plays within this time
LOOPBACK_DEVICE = "Midi Through"  # ALSA's echo port: a controller would be heard twice


@dataclass(frozen=True)
class MidiStatus:
    """Which controllers play, and what keeps others from it."""

    devices: tuple[str, ...] = ()
    problem: str = ""  # one sentence, or nothing


class MidiInput:
    """The watch over the ports, on a thread of its own. Started and stopped by one thread; any may read `status`.

    Messages arrive on the driver's threads and go straight to the router.
    """

    def __init__(self, router: Router, ports: MidiPorts | None = None, look_every_s: float = LOOK_EVERY_S) -> None:
        self._router = router
        self._ports = ports if ports is not None else RtMidiPorts()
        self._look_every_s = look_every_s
        self._open: dict[str, OpenPort] = {}  # by listed name; owned by the watching thread
        self._status = MidiStatus()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi watch", daemon=True)

    @property
    def status(self) -> MidiStatus:
        """What is connected now. Any thread; never waits."""
        return self._status

    def start(self) -> None:
        """Begin to look for controllers."""
        self._thread.start()

    def stop(self) -> None:
        """Close all ports; waits at most two seconds."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def _watch(self) -> None:
        while not self._is_stopping.is_set():
            self._look()
            self._is_stopping.wait(self._look_every_s)
        self._keep_only(set())
        self._ports.close()

    def _look(self) -> None:
        problem = ""
        try:
            wanted = [name for name in self._ports.names() if self._is_wanted(name)]
        except MidiUnavailableError as error:
            wanted, problem = [], str(error)
        self._keep_only(set(wanted))
        for name in wanted:
            if name in self._open:
                continue
            try:
                self._open[name] = self._ports.open(name, _Listener(self._router, device_name(name)).receive)
            except MidiUnavailableError as error:
                problem = str(error)
        self._status = MidiStatus(tuple(device_name(name) for name in self._open), problem)

    def _is_wanted(self, name: str) -> bool:
        return not name.startswith(LOOPBACK_DEVICE) and self._router.listens_to(device_name(name))

    def _keep_only(self, names: set[str]) -> None:
        for name in [name for name in self._open if name not in names]:
            self._open.pop(name).close()


class _Listener:
    """The ear at one port."""

    def __init__(self, router: Router, device: str) -> None:
        self._router = router
        self._decoder = MidiDecoder(device)

    def receive(self, message: Sequence[int], time_ns: int) -> None:
        """Play one message; what is no control of ours is passed over. Called on the driver's thread."""
        for event in self._decoder.read(message, time_ns):
            self._router.handle(event)
