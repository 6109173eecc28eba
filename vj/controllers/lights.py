"""The lights and rings of one device, as data: which message shows which value.

Holds no state; knows nothing of ports, files or stores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from engine.parameter import Parameter, Value

BEAT = "beat"  # what a light shows instead of a parameter: the beat, brighter on the first of a bar
Style = Literal["light", "ring"]
Level = tuple[int, ...]  # data bytes 0..127 in place of {value}: one, or three of a colour
_HOLE = "{value}"
_NOTE_ON, _CONTROL_CHANGE = 0x90, 0xB0
RING_STEPS = 127


@dataclass(frozen=True)
class Light:
    """One light or ring."""

    output: str  # "note/<channel>/<number>", "cc/<channel>/<number>" or "sysex/F0 .. {value} .. F7"
    parameter: Parameter | None  # None = the beat
    value: Value | None = None  # lit while the parameter holds this; None = while it is on, up or pressed
    ready: Parameter | None = None  # dim, not off, while this holds anything
    style: Style = "light"
    on: Level = (127,)
    dim: Level = (0,)
    off: Level = (0,)

    def message(self, level: Level) -> bytes:
        """Return the MIDI message that shows a level."""
        kind, _, rest = self.output.partition("/")
        if kind == "sysex":
            return sysex_bytes(rest, level)
        channel, number = (int(word) for word in rest.split("/"))
        return bytes([(_NOTE_ON if kind == "note" else _CONTROL_CHANGE) | channel - 1, number, level[0]])


@dataclass(frozen=True)
class Feedback:
    """What is sent to one device."""

    start: tuple[bytes, ...] = ()  # when it is connected
    end: tuple[bytes, ...] = ()  # before it is left
    lights: tuple[Light, ...] = ()


NO_FEEDBACK = Feedback()


def sysex_bytes(template: str, level: Level) -> bytes:
    """Fill a level into a template such as "F0 00 20 {value} F7". Raises ValueError for what is no message."""
    words = template.replace(_HOLE, " ".join(f"{byte:02X}" for byte in level))
    return message_bytes(words)


def message_bytes(words: str) -> bytes:
    """Read one MIDI message written in hex: "F0 00 20 F7", "B0 38 02". Raises ValueError with what is wrong."""
    if not re.fullmatch(r"\s*([0-9A-Fa-f]{2}\s*)+", words):
        raise ValueError(f'{words!r} is no message in hex; write it like "F0 00 20 29 F7"')
    message = bytes.fromhex(words)
    if message[0] < 0x80:
        raise ValueError(f"{words!r} begins with {message[0]:02X}; a MIDI message begins with 80 to FF")
    body = message[1:-1] if message[0] == 0xF0 else message[1:]
    if message[0] == 0xF0 and message[-1] != 0xF7:
        raise ValueError(f"{words!r} begins with F0 and must end with F7")
    if any(byte > 127 for byte in body):
        raise ValueError(f"{words!r}: data bytes are 00 to 7F")
    return message
