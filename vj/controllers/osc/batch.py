"""What has arrived since the last look, in order, without superseded values: a flood costs what its last values do.

Pure: datagrams in, messages out. Knows nothing of sockets or of what a message does.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import NamedTuple

from vj.controllers.osc.addresses import OscTarget
from vj.controllers.osc.packet import Argument, PacketError, decode_message, encode_message, split_packet
from vj.controllers.osc.reading import is_query

Sender = tuple[str, int]
_FORMS = {b"f": struct.Struct(">f"), b"i": struct.Struct(">i")}


class Heard(NamedTuple):
    """One message and who sent it."""

    address: str
    arguments: tuple[Argument, ...]
    sender: Sender


class NumberForm(NamedTuple):
    """How the number behind a known header is read, and which value it moves."""

    address: str
    moved: str  # address of the parameter: /raw and aliases move the same value
    form: struct.Struct


Headers = Mapping[bytes, NumberForm]


def number_headers(targets: Mapping[str, OscTarget]) -> Headers:
    """Prepare the messages that may be superseded: one plain number at the exact address of a value."""
    found: dict[bytes, NumberForm] = {}
    for address, target in targets.items():
        if target.parameter.kind in ("trigger", "text"):
            continue  # every press counts; texts are looked at one by one
        for number in (0.0, 0):
            header = encode_message(address, number)[:-4]
            found[header] = NumberForm(address, target.address, _FORMS[header.rstrip(b"\0")[-1:]])
    return found


class Batch:
    """Collects the datagrams of a few milliseconds. Belongs to the thread that receives them."""

    def __init__(self, targets: Mapping[str, OscTarget]) -> None:
        """`targets` are all exact addresses, aliases included."""
        self._headers = number_headers(targets)
        self._texts = {address: t.address for address, t in targets.items() if t.parameter.kind == "text"}
        self.messages = 0  # readable ones, superseded ones included; since the beginning
        self.malformed = 0  # datagrams that are no OSC, wholly or from some point on; since the beginning
        self.last_problem = ""  # why the last malformed one was none
        self._order: list[Heard] = []
        self._slots: dict[str, int] = {}  # parameter -> where in the order its newest value stands

    def add(self, datagram: bytes, sender: Sender) -> None:
        """Take in one datagram."""
        try:
            for element in split_packet(datagram):
                self._add_message(element, sender)
        except PacketError as error:
            self.malformed += 1
            self.last_problem = f"osc {sender[0]}: {error}"

    def take(self) -> list[Heard]:
        """Hand over what is to be played, in order, and begin anew."""
        taken, self._order = self._order, []
        self._slots.clear()
        return taken

    def _add_message(self, element: bytes, sender: Sender) -> None:
        known = self._headers.get(element[:-4])
        if known is not None:
            (number,) = known.form.unpack_from(element, len(element) - 4)
            if math.isfinite(number):
                self._supersede(known.moved, Heard(known.address, (number,), sender))
                return
        message = decode_message(element)
        heard = Heard(message.address, message.arguments, sender)
        text = self._texts.get(message.address)
        if text is not None and len(message.arguments) == 1 and not is_query(message.arguments):
            self._supersede(text, heard)
            return
        self.messages += 1
        # what depends on the order (a step, a press, a pattern) stays between what came before and after it
        self._slots.clear()
        self._order.append(heard)

    def _supersede(self, moved: str, heard: Heard) -> None:
        self.messages += 1
        slot = self._slots.get(moved)
        if slot is None:
            self._slots[moved] = len(self._order)
            self._order.append(heard)
        else:
            self._order[slot] = heard
