"""MIDI in and out: ports are found by name, opened, and opened again when they come back.

Turns messages into control events. Knows nothing of drivers or of what a control means.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vj.controllers.midi_decoder import MidiDecoder
from vj.controllers.midi_drivers import MidiUnavailableError, OpenPort
from vj.controllers.midi_outputs import MidiOutputs
from vj.controllers.midi_ports import MidiPorts, RtMidiPorts, device_name
from vj.controllers.router import Router

LOOK_EVERY_S = 1.0  # a controller plugged in plays within this time
LOOPBACK_DEVICE = "Midi Through"  # ALSA's echo port: a controller would be heard twice
SYSTEM_BYTES = range(0xF0, 0x100)

OnSystem = Callable[[str, Sequence[int], int], None]
"""The device, its system message (clock, start, stop, time code, sysex), time.monotonic_ns() at arrival."""


@dataclass(frozen=True)
class MidiStatus:
    """Which controllers play, and what keeps others from it."""

    devices: tuple[str, ...] = ()
    problem: str = ""  # one sentence, or nothing
    outputs: tuple[str, ...] = ()


class MidiInput:
    """The watch over the ports, on a thread of its own. Started and stopped by one thread; any may read `status`.

    Every input is heard, mapped or not: for learning, for clocks, and for the newest message on screen. Messages
    arrive on the driver's threads and go straight to the router, system messages to the listeners.
    """

    def __init__(
        self,
        router: Router,
        ports: MidiPorts | None = None,
        look_every_s: float = LOOK_EVERY_S,
        outputs: MidiOutputs | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """`tell` takes a sentence when a controller has gone, on the watching thread."""
        self.router = router
        self._tell = tell
        self._ports = ports if ports is not None else RtMidiPorts()
        self._look_every_s = look_every_s
        self._open: dict[str, OpenPort] = {}  # by listed name; owned by the watching thread
        self.outputs = outputs if outputs is not None else MidiOutputs()
        self._listeners: tuple[OnSystem, ...] = ()
        self._status = MidiStatus()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi watch", daemon=True)

    @property
    def status(self) -> MidiStatus:
        """What is connected now. Any thread; never waits."""
        return self._status

    def listen_system(self, listener: OnSystem) -> None:
        """Hand every system message to `listener` too, on the driver's thread; it must not wait. Any thread."""
        self._listeners = (*self._listeners, listener)

    def start(self) -> None:
        """Begin to look for controllers."""
        self._thread.start()

    def stop(self) -> None:
        """Close all ports; waits at most a few seconds."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def hear(self, device: str, message: Sequence[int], time_ns: int) -> None:
        """Hand a system message to the listeners. Called on the drivers' threads."""
        for listener in self._listeners:
            listener(device, message, time_ns)

    def _watch(self) -> None:
        while not self._is_stopping.is_set():
            self._look()
            self._is_stopping.wait(self._look_every_s)
        self._keep_only(set(), set())
        self._ports.close()

    def _look(self) -> None:
        problem = ""
        try:
            inputs = [name for name in self._ports.names() if _is_wanted(name)]
            outputs = [name for name in self._ports.output_names() if _is_wanted(name)]
        except MidiUnavailableError as error:
            inputs, outputs, problem = [], [], str(error)
        self._keep_only(set(inputs), set(outputs))
        for open_one, names in ((self._open_output, outputs), (self._open_input, inputs)):
            for name in names:
                try:
                    open_one(name)
                except MidiUnavailableError as error:
                    problem = str(error)
        devices = tuple(device_name(name) for name in self._open)
        self._status = MidiStatus(devices, problem, self.outputs.devices)

    def _open_input(self, name: str) -> None:
        if name not in self._open:
            device = device_name(name)
            self.router.device_came(device)
            self._open[name] = self._ports.open(name, _Listener(self.router, device, self.hear).receive)

    def _open_output(self, name: str) -> None:
        if name not in self.outputs.opened():
            self.outputs.add(name, device_name(name), self._ports.open_output(name))

    def _keep_only(self, inputs: set[str], outputs: set[str]) -> None:
        for name in [name for name in self._open if name not in inputs]:
            self._open.pop(name).close()
            if not self._is_stopping.is_set():
                self._tell(f"the controller {device_name(name)} is gone: it plays again as soon as it is plugged in")
        for name in self.outputs.opened() - outputs:
            self.outputs.drop(name)


def _is_wanted(name: str) -> bool:
    return not name.startswith(LOOPBACK_DEVICE)


class _Listener:
    """The ear at one port."""

    def __init__(self, router: Router, device: str, on_system: OnSystem) -> None:
        self._router = router
        self._device = device
        self._on_system = on_system
        self._decoder = MidiDecoder(device)

    def receive(self, message: Sequence[int], time_ns: int) -> None:
        """Play one message; what is no control of ours is passed over. Called on the driver's thread."""
        if message and message[0] in SYSTEM_BYTES:
            self._on_system(self._device, message, time_ns)
            return
        for event in self._decoder.read(message, time_ns):
            self._router.handle(event)
