"""The lights and rings of one device, as data: which message shows which value.

Holds no state; knows nothing of ports, files or stores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import mido

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

    def dark(self) -> bytes:
        """Return the message that puts it out."""
        return self.message((0,) * len(self.on))


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
    try:
        return bytes(mido.Message.from_hex(words).bytes())
    except ValueError as error:
        raise ValueError(f'{words!r} is no MIDI message ({error}); write it in hex like "F0 00 20 29 F7"') from None
