"""OSC out: every change and the state of the instrument, told to any number of listeners.

A player of the conductor's: it never waits, and a listener that is gone costs nothing.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.parameter import Value
from vj.controllers.osc.batch import Heard
from vj.controllers.osc.endpoint import PORTS, OscEndpoint, OscPortError, resolve
from vj.controllers.osc.packet import encode_bundles
from vj.controllers.osc.reports import report
from vj.controllers.osc.state import StateReader, StateSources, declared
from vj.controllers.osc.template import Template, TemplateVoice
from vj.controls import Controls
from vj.parameters import ALL_PARAMETERS

REPORT_NS = 16_666_667  # at most 60 reports a second
ECHO_NS = 300_000_000  # whoever moves a value is not told of it while it moves
MESSAGES_PER_REPORT = 256  # to one listener; the rest follows in the next
SUBSCRIBERS = 16  # the oldest leaves for the next
SUBSCRIBE, UNSUBSCRIBE = "/vj/subscribe", "/vj/unsubscribe"


@dataclass(frozen=True)
class OscListener:
    """Someone to send to: everything at our own addresses, or in the words of a template, or both."""

    endpoint: OscEndpoint
    template: Template | None = None


@dataclass
class _Line:
    """One listener and what it has not been told yet. Belongs to the conductor's thread."""

    family: socket.AddressFamily
    address: tuple[str | int, ...]
    template: TemplateVoice | None = None
    is_plain: bool = True  # told everything at our own addresses
    origin: Literal["start", "chosen", "subscriber"] = "start"
    is_new: bool = True
    owed: dict[str, None] = field(default_factory=dict)  # addresses of values, in order of change

    @property
    def source(self) -> str:
        """What the instrument calls a mover there."""
        return f"osc {self.address[0]}"


@dataclass(frozen=True)
class _News:
    """What is told in one report."""

    values: Mapping[str, Value]
    state: Mapping[str, Value]
    value_changes: tuple[str, ...]
    state_changes: tuple[str, ...]
    now_ns: int


class OscOutput:
    """Tells listeners. `tick` belongs to the conductor; the services to the OSC listener's thread."""

    def __init__(self, controls: Controls, sources: StateSources) -> None:
        self._controls = controls
        self._reader = StateReader(controls, sources)
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}
        self._lock = threading.Lock()  # guards the tuple of lines, not the lines
        self._lines: tuple[_Line, ...] = ()
        self._values: Mapping[str, Value] = {}
        self._state: Mapping[str, Value] = {}
        self._due_ns = 0
        self.services = {SUBSCRIBE: self._subscribe, UNSUBSCRIBE: self._unsubscribe}

    @property
    def listeners(self) -> tuple[str, ...]:
        """Who is told, as host:port. Any thread; never waits."""
        return tuple(f"{line.address[0]}:{line.address[1]}" for line in self._lines)

    def add(self, listener: OscListener) -> None:
        """Tell one more, everything first; its address is looked up now. Raises OscPortError for an unknown host."""
        line = _new_line(listener)
        with self._lock:
            self._lines = (*self._lines, line)

    def choose(self, listeners: Iterable[OscListener]) -> None:
        """Replace those chosen before. May wait for names; raises OscPortError, and then the known ones are told."""
        lines, failure = [], None
        for listener in listeners:
            try:
                lines.append(_new_line(listener))
            except OscPortError as error:
                failure = error
        with self._lock:
            before = {line.address: line for line in self._lines if line.origin == "chosen"}
            chosen = [before.get(line.address, line) for line in lines]
            for line in chosen:
                line.origin = "chosen"
            self._lines = (*(line for line in self._lines if line.origin != "chosen"), *chosen)
        if failure is not None:
            raise failure

    def tick(self, now_ns: int) -> None:
        """Tell what has changed, if a report is due."""
        if not self._lines or now_ns < self._due_ns:
            return
        self._due_ns = max(self._due_ns + REPORT_NS, now_ns)
        values, state = self._controls.store.snapshot(), self._reader.read(now_ns)
        news = _News(values, state, tuple(_changes(self._values, values)), tuple(_changes(self._state, state)), now_ns)
        self._values, self._state = values, state
        for line in self._lines:
            self._tell(line, news)

    def close(self) -> None:
        """Let go of the sockets."""
        self._lines = ()
        for opened in self._sockets.values():
            opened.close()

    def _tell(self, line: _Line, news: _News) -> None:
        messages = self._reports(line, news) if line.is_plain else []
        if line.template is not None:
            messages += line.template.messages({**news.state, **news.values}, news.now_ns, self._is_moving)
        line.is_new = False
        sender = self._socket(line.family)
        for datagram in encode_bundles(messages):
            try:
                sender.sendto(datagram, line.address)
            except OSError:
                return  # nobody there, or no room now: UDP promises nothing, and the next change is told again

    def _reports(self, line: _Line, news: _News) -> list[bytes]:
        """State at once, for a press is over in the next report; values in turn, the newest of each."""
        messages: list[bytes] = []
        for address in news.state if line.is_new else news.state_changes:
            if not self._is_moving(address, line.source, news.now_ns):
                messages += report(declared(address, ALL_PARAMETERS), news.state[address])
        line.owed.update(dict.fromkeys(news.values if line.is_new else news.value_changes))
        for address in list(line.owed):
            if len(messages) >= MESSAGES_PER_REPORT:
                break
            if not self._is_moving(address, line.source, news.now_ns):
                del line.owed[address]
                messages += report(declared(address, ALL_PARAMETERS), news.values[address])
        return messages

    def _is_moving(self, address: str, source: str, now_ns: int) -> bool:
        return is_moving(self._controls, address, (source,), now_ns)

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        if family not in self._sockets:
            opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.setblocking(False)
            self._sockets[family] = opened
        return self._sockets[family]

    def _subscribe(self, heard: Heard) -> None:
        """Tell the sender everything from now on, at the port it names; without one, where it sent from.

        Never another host: nobody can point the stream at a third.
        """
        address = _answer_address(heard)
        if address is None:
            return
        family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
        with self._lock:
            kept = [line for line in self._lines if not _is_subscriber(line, address)]
            subscribers = [line for line in kept if line.origin == "subscriber"]
            if len(subscribers) >= SUBSCRIBERS:
                kept.remove(subscribers[0])
            self._lines = (*kept, _Line(family, address, origin="subscriber"))

    def _unsubscribe(self, heard: Heard) -> None:
        address = _answer_address(heard)
        with self._lock:
            self._lines = tuple(line for line in self._lines if not _is_subscriber(line, address))


def _new_line(listener: OscListener) -> _Line:
    family, address = resolve(listener.endpoint)
    template = listener.template
    voice = TemplateVoice(template, f"osc {address[0]} {template.name}") if template is not None else None
    return _Line(family, address, voice, is_plain=template is None or template.is_everything_told)


def _is_subscriber(line: _Line, address: tuple[str | int, ...] | None) -> bool:
    return line.origin == "subscriber" and line.address == address


def is_moving(controls: Controls, address: str, sources: Sequence[str], now_ns: int) -> bool:
    """Whether one of these sources has moved this address a moment ago: to tell it would be an echo."""
    move = controls.moved_by(address) if address in ALL_PARAMETERS else None
    return move is not None and move.source in sources and now_ns - move.time_ns < ECHO_NS


def _changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> list[str]:
    if before is after:
        return []
    return [address for address, value in after.items() if before.get(address) != value]


def _answer_address(heard: Heard) -> tuple[str | int, ...] | None:
    """Where a subscriber listens; None when what it names is no port."""
    host, port, *scope = heard.sender
    if heard.arguments:
        try:
            port = int(float(heard.arguments[0]))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            return None
        if port not in PORTS[1:]:
            return None
    return (host, port, *scope)
