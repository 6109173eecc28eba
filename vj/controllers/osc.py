"""OSC in: every address of the parameter table answers on a UDP port.

One thread reads datagrams and moves the instrument through its one door; what cannot be read is counted, never raised.
"""

from __future__ import annotations

import errno
import socket
import threading
from dataclasses import dataclass

from vj.controllers.osc_addresses import OscTarget, find_targets
from vj.controllers.osc_packet import OscMessage, PacketError, decode_packet
from vj.controls import Controls
from vj.parameters import UnknownAddressError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9000
LAST_DEFAULT_PORT = 9010
PORTS = range(0, 65536)  # 0 = any free one
DATAGRAM_BYTES = 65536
RECEIVE_BUFFER_BYTES = 4 << 20  # what arrives while this thread waits its turn is kept; the system may grant less
STOP_CHECK_S = 0.05
SHOWN_CHARACTERS = 80


class OscPortError(ValueError):
    """The port cannot be used; the sentence says why and what to do."""


@dataclass(frozen=True)
class OscEndpoint:
    """Where to listen. `is_default` allows the next free port when this one is taken."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    is_default: bool = True


@dataclass(frozen=True)
class OscStatus:
    """What the listener has seen so far."""

    messages: int  # readable messages, unknown addresses included
    malformed: int  # datagrams that are no OSC, wholly or from some point on
    unknown: int  # messages no address answers to
    refused: int  # messages whose argument has no sensible reading, NaN included
    last_message: str  # address and arguments, shortened
    last_problem: str  # one sentence, or nothing


@dataclass(frozen=True)
class _UnknownMessage:
    """An address nothing answers to; the suggestion is looked up when it is shown, not for every message of a flood."""

    address: str
    source: str

    def sentence(self) -> str:
        """One line with the nearest address there is."""
        return f"{self.source}: {UnknownAddressError(self.address[:SHOWN_CHARACTERS])}"


def parse_endpoint(text: str) -> OscEndpoint:
    """Read `[HOST:]PORT`. Raises ValueError with a sentence."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if separator else DEFAULT_HOST
    if not (port.isascii() and port.isdigit() and len(port) <= len(str(max(PORTS))) and int(port) in PORTS):
        raise ValueError(f"{text[:SHOWN_CHARACTERS]!r} has no port; write [HOST:]PORT with a port from 1 to 65535")
    if not host:
        raise ValueError(f"{text!r} has no host; write {DEFAULT_HOST}:{port} or just {port}")
    return OscEndpoint(host, int(port), is_default=False)


class OscInput:
    """A UDP port and the thread that reads it. Started and stopped by one thread; any may read the properties.

    Opens the port when made, so that a port that is taken is told before anything else starts.
    """

    def __init__(self, controls: Controls, endpoint: OscEndpoint | None = None) -> None:
        self._controls = controls
        self._endpoint = endpoint or OscEndpoint()
        self._socket = _open_socket(self._endpoint)
        self._socket.settimeout(STOP_CHECK_S)
        self.host: str = self._socket.getsockname()[0]
        self.port: int = self._socket.getsockname()[1]  # the one really in use
        # written by the listening thread alone
        self._messages = self._malformed = self._unknown = self._refused = 0
        self._last_message: OscMessage | None = None
        self._last_problem: str | _UnknownMessage = ""
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="osc in", daemon=True)

    @property
    def port_moved(self) -> bool:
        """Whether the default port was taken and another is in use: to be shown unmissably."""
        return self._endpoint.is_default and self.port != self._endpoint.port

    def status(self) -> OscStatus:
        """Tell what was received so far; polled by the status strip."""
        message, problem = self._last_message, self._last_problem
        return OscStatus(
            self._messages,
            self._malformed,
            self._unknown,
            self._refused,
            _show(message) if message else "",
            problem if isinstance(problem, str) else problem.sentence(),
        )

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port; waits at most a second for the thread."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        self._socket.close()

    def _listen(self) -> None:
        while not self._is_stopping.is_set():
            try:
                datagram, sender = self._socket.recvfrom(DATAGRAM_BYTES)
            except TimeoutError:
                continue
            except OSError:
                # Windows reports a sender's closed port here; a closed socket of our own ends the loop
                continue
            self._receive(datagram, f"osc {sender[0]}")

    def _receive(self, datagram: bytes, source: str) -> None:
        try:
            for message in decode_packet(datagram):
                self._play(message, source)
        except PacketError as error:
            self._malformed += 1
            self._last_problem = f"{source}: {error}"

    def _play(self, message: OscMessage, source: str) -> None:
        self._messages += 1
        self._last_message = message
        targets = find_targets(message.address)
        if not targets:
            self._unknown += 1
            self._last_problem = _UnknownMessage(message.address, source)
        for target in targets:
            try:
                self._move(target, message, source)
            except ValueError as error:
                self._refused += 1
                self._last_problem = f"{source}: {error}"

    def _move(self, target: OscTarget, message: OscMessage, source: str) -> None:
        if target.reading.kind == "trigger":
            self._controls.set(target.address, message.arguments[0] if message.arguments else None, source)
            return
        if not message.arguments:
            raise ValueError(f"{message.address} came without a value")
        if target.is_position:
            position = target.reading.coerce(message.arguments[0])
            self._controls.set_normalised(target.address, float(position), source)
        else:
            self._controls.set(target.address, message.arguments[0], source)


def _show(message: OscMessage) -> str:
    words = (f"{value:g}" if isinstance(value, float) else str(value)[:SHOWN_CHARACTERS] for value in message.arguments)
    return " ".join((message.address[:SHOWN_CHARACTERS], *words))[:SHOWN_CHARACTERS]


def _open_socket(endpoint: OscEndpoint) -> socket.socket:
    last = LAST_DEFAULT_PORT if endpoint.is_default else endpoint.port
    for port in range(endpoint.port, last + 1):
        opened = _bind(endpoint.host, port)
        if opened:
            return opened
    if endpoint.is_default:
        raise OscPortError(f"the OSC ports {endpoint.port} to {last} are all taken; choose one with --osc [HOST:]PORT")
    raise OscPortError(
        f"the OSC port {endpoint.port} on {endpoint.host} is taken by another program; "
        "close it, or choose another port with --osc [HOST:]PORT"
    )


def _bind(host: str, port: int) -> socket.socket | None:
    """Open one UDP port; None when it is taken. Raises OscPortError for everything else."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except (OSError, ValueError) as error:
        raise OscPortError(f"OSC cannot listen on {host!r}: {_reason(error)}") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        opened.bind(address)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise OscPortError(f"OSC cannot listen on {host}:{port}: {_reason(error)}") from None
    return opened


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, ValueError):
        return "that is no host name"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this computer has no such address; 0.0.0.0 listens on all it has"
    return (error.strerror or str(error)).lower()
