"""Where OSC (and Art-Net) is heard and sent: hosts, ports, and the sockets that are opened there.

Knows nothing of messages.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from typing import Literal

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 9000
LAST_DEFAULT_PORT = 9010
ARTNET_PORT = 6454
PORTS = range(0, 65536)  # 0 = any free one
RECEIVE_BUFFER_BYTES = 4 << 20  # what arrives while the listener waits its turn is kept; the system may grant less
SHOWN_CHARACTERS = 80
ANYWHERE = ("203.0.113.1", 9)  # an address for documentation: asking for the way there sends nothing


class OscPortError(ValueError):
    """The port cannot be used; the sentence says why and what to do."""


@dataclass(frozen=True)
class OscEndpoint:
    """Where to listen. `is_default` allows the next free port when this one is taken."""

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    is_default: bool = True


@dataclass(frozen=True)
class OscReach:
    """Who can reach the listener, for the panels."""

    address: str  # "192.168.1.20:9000": as others write it, or as this computer does when it alone may
    is_open: bool  # to the network
    has_moved: bool  # the usual port was taken

    def __str__(self) -> str:
        """One line for the strip."""
        return f"{self.address} · open to the network" if self.is_open else self.address


def parse_endpoint(text: str) -> OscEndpoint:
    """Read `[HOST:]PORT`. Raises ValueError with a sentence."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if separator else LOOPBACK
    if not (port.isascii() and port.isdigit() and len(port) <= len(str(max(PORTS))) and int(port) in PORTS):
        raise ValueError(f"{text[:SHOWN_CHARACTERS]!r} has no port; write [HOST:]PORT with a port from 1 to 65535")
    if not host:
        raise ValueError(f"{text!r} has no host; write {LOOPBACK}:{port} or just {port}")
    return OscEndpoint(host, int(port), is_default=False)


def parse_target(text: str) -> OscEndpoint:
    """Read `[HOST:]PORT` of someone to send to: a port of 0 means nobody. Raises ValueError with a sentence."""
    target = parse_endpoint(text)
    if target.port == 0:
        raise ValueError(f"{text[:SHOWN_CHARACTERS]!r}: nobody listens at port 0; write [HOST:]PORT, 1 to 65535")
    return target


def open_socket(endpoint: OscEndpoint, protocol: Literal["OSC", "Art-Net"] = "OSC") -> socket.socket:
    """Bind a UDP socket, at the next free port if the default one is taken. Raises OscPortError."""
    option = {"OSC": "--osc", "Art-Net": "--artnet"}[protocol]
    last = LAST_DEFAULT_PORT if endpoint.is_default else endpoint.port
    for port in range(endpoint.port, last + 1):
        opened = _bind(endpoint.host, port, protocol)
        if opened:
            return opened
    if endpoint.is_default:
        ports = f"{endpoint.port} to {last}"
        raise OscPortError(f"the {protocol} ports {ports} are all taken; choose one with {option} [HOST:]PORT")
    raise OscPortError(
        f"the {protocol} port {endpoint.port} on {endpoint.host} is taken by another program; "
        f"close it, or choose another port with {option} [HOST:]PORT"
    )


def find_reach(listener: socket.socket, has_moved: bool) -> OscReach:
    """Tell how a bound socket is reached from where it may be reached from. Sends nothing."""
    host, port = listener.getsockname()[:2]
    is_open = not (host.startswith("127.") or host == "::1")
    if host in ("0.0.0.0", "::"):
        host = own_address()
    return OscReach(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", is_open, has_moved)


def own_address() -> str:
    """Return this computer's address on the network it uses; its name when it has none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(ANYWHERE)
            return probe.getsockname()[0]
    except OSError:
        return socket.gethostname()


def resolve(target: OscEndpoint) -> tuple[socket.AddressFamily, tuple[str | int, ...]]:
    """Look up a target's address once, so that no sending ever waits for a name. Raises OscPortError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)[0]
    except (OSError, ValueError) as error:
        raise OscPortError(f"OSC cannot be sent to {target.host!r}: {_reason(error)}") from None
    return family, address


def _bind(host: str, port: int, protocol: str) -> socket.socket | None:
    """Open one UDP port; None when it is taken. Raises OscPortError for everything else."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except (OSError, ValueError) as error:
        raise OscPortError(f"{protocol} cannot listen on {host!r}: {_reason(error)}") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        opened.bind(address)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise OscPortError(f"{protocol} cannot listen on {host}:{port}: {_reason(error)}") from None
    return opened


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, ValueError):
        return "that is no host name"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this computer has no such address; 0.0.0.0 listens on all it has"
    return (error.strerror or str(error)).lower()
