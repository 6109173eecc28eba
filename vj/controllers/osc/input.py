"""OSC in: every address of the parameter table answers on a UDP port.

One thread reads datagrams and moves the instrument through its one door; what cannot be read is counted, never raised.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.parameter import Value
from vj.controllers.events import ControlEvent
from vj.controllers.osc.addresses import RAW_SUFFIX, TARGETS, OscTarget, find_targets
from vj.controllers.osc.batch import Batch, Heard, Sender
from vj.controllers.osc.endpoint import SHOWN_CHARACTERS, OscEndpoint, OscReach, find_reach, open_socket
from vj.controllers.osc.packet import encode_message
from vj.controllers.osc.reading import is_press, is_query, position_of, read_value
from vj.controllers.osc.template import Alias
from vj.controls import ADDRESS_ROOT, Controls
from vj.parameters import UnknownAddressError

LARGEST_DATAGRAM_BYTES = 65536
STOP_CHECK_S = 0.05
BATCH_S = 0.003  # the first datagram plays at once, those that follow it so closely together
BATCH_DATAGRAMS = 512  # of a flood that would never end; the rest waits in the socket
DEVICE = "osc"  # what mapping files call the addresses that are none of ours
CONTROLS_HEARD = 1024  # addresses of no meaning that are taken for controls; a flood of random ones is none
NO_ALIASES: Mapping[str, Alias] = {}
NO_SERVICES: Mapping[str, Callable[[Heard], None]] = {}


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


class OscInput:
    """A UDP port and the thread that reads it. Started and stopped by one thread; any may read the properties.

    Opens the port when made, so that a port that is taken is told before anything else starts.
    """

    def __init__(
        self,
        controls: Controls,
        endpoint: OscEndpoint | None = None,
        aliases: Mapping[str, Alias] = NO_ALIASES,
        services: Mapping[str, Callable[[Heard], None]] = NO_SERVICES,
        play_event: Callable[[ControlEvent], object] | None = None,
    ) -> None:
        """`aliases` are other programs' addresses; `services` are addresses answered on the listening thread.

        `play_event` takes what has none of our addresses, as a move of the control `osc/<address>`.
        Raises OscPortError.
        """
        self._controls = controls
        self._aliases = aliases
        self._services = services
        self._play_event = play_event
        asked = endpoint or OscEndpoint()
        self._socket = open_socket(asked)
        self._socket.setblocking(False)
        self.host: str = self._socket.getsockname()[0]
        self.port: int = self._socket.getsockname()[1]  # the one really in use
        self.port_moved: bool = asked.is_default and self.port != asked.port  # to be shown unmissably
        self.reach: OscReach = find_reach(self._socket, self.port_moved)
        # written by the listening thread alone
        self._batch = Batch({**{address: alias.target for address, alias in aliases.items()}, **TARGETS})
        self._messages = self._malformed = self._unknown = self._refused = 0
        self._last_heard: Heard | None = None
        self._last_problem: str | _UnknownMessage = ""
        self._controls_heard: set[str] = set()
        self._asked: dict[str, Value] = {}  # values of one sender that are stored together
        self._asked_source = ""
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="osc in", daemon=True)

    def status(self) -> OscStatus:
        """Tell what was received so far; polled by the status strip."""
        heard, problem = self._last_heard, self._last_problem
        return OscStatus(
            self._messages,
            self._malformed,
            self._unknown,
            self._refused,
            _show(heard) if heard else "",
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
            readable, _, _ = select.select([self._socket], [], [], STOP_CHECK_S)
            if not readable:
                continue
            began_s = time.monotonic()
            self._drain()
            self._play_batch()
            spent_s = time.monotonic() - began_s
            # what arrives meanwhile waits in the socket: the picture's thread gets at least half of a flood's time
            time.sleep(max(BATCH_S - spent_s, spent_s))

    def _drain(self) -> None:
        """Take what is there, without waiting."""
        for _ in range(BATCH_DATAGRAMS):
            try:
                datagram, sender = self._socket.recvfrom(LARGEST_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # Windows reports here that something sent before has found a closed port
            self._batch.add(datagram, sender)

    def _play_batch(self) -> None:
        for heard in self._batch.take():
            self._last_heard = heard
            self._play(heard)
        self._store()
        if self._batch.malformed != self._malformed:
            self._last_problem = self._batch.last_problem
        # counted when played, so that whoever waits for a message finds its value
        self._messages, self._malformed = self._batch.messages, self._batch.malformed

    def _play(self, heard: Heard) -> None:
        source = f"osc {heard.sender[0]}"
        service = self._services.get(heard.address)
        if service is not None:
            service(heard)
            return
        alias = self._aliases.get(heard.address)
        if alias is not None:
            source = f"{source} {alias.template}"
        targets = find_targets(heard.address) if alias is None else (alias.target,)
        if not targets:
            self._play_unknown(heard, source)
        if source != self._asked_source:
            self._store()
            self._asked_source = source
        for target in targets:
            try:
                self._move(target, heard, source)
            except ValueError as error:
                self._refused += 1
                self._last_problem = f"{source}: {error}"

    def _play_unknown(self, heard: Heard, source: str) -> None:
        """Take the address for a control that a mapping may know; under our own root it is a mistake."""
        number = _position(heard)
        is_control = number is not None and not heard.address.startswith(ADDRESS_ROOT)
        if is_control and len(self._controls_heard) < CONTROLS_HEARD:
            self._controls_heard.add(heard.address)
        if self._play_event is None or not is_control or heard.address not in self._controls_heard:
            self._unknown += 1
            self._last_problem = _UnknownMessage(heard.address, source)
            return
        self._store()
        self._play_event(ControlEvent(DEVICE, f"{DEVICE}{heard.address}", number, time.monotonic_ns()))

    def _move(self, target: OscTarget, heard: Heard, source: str) -> None:
        address = target.address
        if target.parameter.kind == "trigger":
            if is_press(heard.arguments):
                self._store()
                self._controls.trigger(address, source)
        elif is_query(heard.arguments):
            self._store()
            self._answer(target, heard.sender)
        else:
            held = self._asked[address] if address in self._asked else self._controls.store.get(address)
            self._asked[address] = read_value(target, heard.arguments, held)

    def _store(self) -> None:
        """Set what was asked for since the last press, in one version."""
        if self._asked:
            asked, self._asked = self._asked, {}
            self._controls.set_many(asked, self._asked_source)

    def _answer(self, target: OscTarget, sender: Sender) -> None:
        """Send the value held to whoever asked, at the address that was meant."""
        held = self._controls.store.get(target.address)
        is_raw = target.parameter.kind == "float" and not target.is_position
        address = target.address + RAW_SUFFIX if is_raw else target.address
        answer = held if isinstance(held, str) else position_of(target, held)
        with contextlib.suppress(OSError):  # who asked is gone, or its buffer is full: it may ask again
            self._socket.sendto(encode_message(address, answer), sender)


def _position(heard: Heard) -> float | None:
    """Read an argument as a position 0..1; none at all is a press. None for what is no number."""
    if not heard.arguments:
        return 1.0
    first = heard.arguments[0]
    is_number = isinstance(first, int | float) and first == first
    return min(1.0, max(0.0, float(first))) if is_number else None


def _show(heard: Heard) -> str:
    words = (f"{value:g}" if isinstance(value, float) else str(value)[:SHOWN_CHARACTERS] for value in heard.arguments)
    return " ".join((heard.address[:SHOWN_CHARACTERS], *words))[:SHOWN_CHARACTERS]
