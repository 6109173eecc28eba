"""An instrument without a picture, a hand that sends it datagrams, and an ear that hears what it tells."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping

from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from engine.messages import GeneratorStatus
from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controllers.events import ControlEvent
from vj.controllers.osc.endpoint import OscEndpoint
from vj.controllers.osc.network import OscNetwork, OscOptions
from vj.controllers.osc.state import StateSources
from vj.controls import Controls
from vj.output.playback import PlaybackStatus
from vj.parameters import ParameterStore
from vj.sound.features import SoundFeatures
from vj.tempo.clock import Clock

ANY_PORT = OscEndpoint("127.0.0.1", 0, is_default=False)


def wait_until(is_true: Callable[[], bool], timeout_s: float = 8.0, what: str = "it") -> None:
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, f"{what} did not happen in {timeout_s:g} s"
        time.sleep(0.002)


def datagram(address: str, *arguments: object) -> bytes:
    """One message as python-osc writes it."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


class Ear:
    """A UDP port that keeps what arrives, read by python-osc: newest arguments and every argument by address."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((host, 0))
        self._socket.settimeout(0.05)
        self.port = self._socket.getsockname()[1]
        self.all: list[tuple[str, tuple[object, ...]]] = []
        self.newest: dict[str, tuple[object, ...]] = {}
        self.longest = 0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> OscEndpoint:
        return OscEndpoint("127.0.0.1", self.port, is_default=False)

    def heard(self, address: str) -> list[object]:
        return [arguments[0] for known, arguments in list(self.all) if known == address]

    def value(self, address: str) -> object:
        return self.newest.get(address, (None,))[0]

    def forget(self) -> None:
        self.all.clear()
        self.newest.clear()

    def close(self) -> None:
        self._is_stopping = True
        self._thread.join(2.0)
        self._socket.close()

    def send(self, data: bytes, port: int) -> None:
        """Speak from the port this ear listens at."""
        self._socket.sendto(data, ("127.0.0.1", port))

    def _listen(self) -> None:
        while not self._is_stopping:
            try:
                data = self._socket.recv(65536)
            except (TimeoutError, ConnectionError):
                continue
            self.longest = max(self.longest, len(data))
            for timed in OscPacket(data).messages:
                self.all.append((timed.message.address, tuple(timed.message.params)))
                self.newest[timed.message.address] = tuple(timed.message.params)


class Show:
    """Store, clock, conductor and OSC, as a performance connects them."""

    def __init__(self, options: OscOptions | None = None) -> None:
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.clock = Clock(self.controls)
        self.generator = GeneratorStatus()
        self.playback = PlaybackStatus()
        self.sound = SoundFeatures()
        self.look = ""
        self.events: list[ControlEvent] = []
        self.told: list[str] = []
        sources = StateSources(
            self.clock,
            lambda: self.generator,
            lambda: self.playback,
            lambda: self.sound,
            lambda: self.look,
        )
        options = options or OscOptions(ANY_PORT)
        self.network = OscNetwork(self.controls, options, sources, self.events.append, self.told.append)
        self.conductor = Conductor()
        self.conductor.add(self.clock)
        self.conductor.add(self.network.chosen_listeners)
        self.conductor.add(self.network.output)
        self._hand = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.network.start()
        self.conductor.start()

    @property
    def port(self) -> int:
        return self.network.input.port

    def send(self, address: str, *arguments: object) -> None:
        self._hand.sendto(datagram(address, *arguments), ("127.0.0.1", self.port))

    def values(self) -> Mapping[str, object]:
        return self.controls.store.snapshot()

    def close(self) -> None:
        self.conductor.stop()
        self.network.stop()
        self._hand.close()
