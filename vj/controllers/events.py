"""A movement of something physical, before anyone knows what it means, and the names of controls.

Names controls as they are printed on the gear: MIDI channels count from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.preset_table import did_you_mean

CHANNELS = range(1, 17)
KEYBOARD, OSC, AUDIO, DMX = "keyboard", "osc", "audio", "dmx"
OWN_DEVICES = (KEYBOARD, OSC, AUDIO, DMX)
"""Devices that are no MIDI ports: a mapping file names them exactly."""

FORMS = {
    "cc": "cc/<channel>/<number>",
    "cc14": "cc14/<channel>/<number of the coarse half>",
    "note": "note/<channel>/<number>",
    "nrpn": "nrpn/<channel>/<number>",
    "bend": "bend/<channel>",
    "pressure": "pressure/<channel> or pressure/<channel>/<note>",
    "program": "program/<channel>/<number>",
    "key": "key/<name>",
    "audio": "audio/onset/<band>",
    "osc": "osc/<address>",
    "dmx": "dmx/<universe>/<channel>",
    "dmx16": "dmx16/<universe>/<channel of the coarse half>",
}
CONTINUOUS = frozenset({"cc", "cc14", "nrpn", "bend", "pressure", "osc", "dmx", "dmx16"})
"""Kinds that have positions; all others are pressed."""

_NUMBERS = {"cc": 128, "cc14": 32, "note": 128, "nrpn": 16384, "pressure": 128, "program": 128}
_WITHOUT_NUMBER = ("bend", "pressure")
BANDS = 4
DMX_UNIVERSES, DMX_CHANNELS = 32768, 512
KEY_NAMES = (
    *"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    *(f"F{n}" for n in range(1, 25)),
    *("Space", "Tab", "Backspace", "Return", "Enter", "Ins", "Del", "Home", "End", "PgUp", "PgDown"),
    *("Left", "Right", "Up", "Down", "Pause", "Print", "Menu", "Esc"),
)
MODIFIERS = ("Meta", "Ctrl", "Alt", "Shift")  # in the order Qt writes them


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """One control of one device has moved."""

    device: str  # name of the port, without the numbers that change at every plugging; or one of OWN_DEVICES
    control: str  # as `check_control` returns it
    value: float  # 0..1; of a note its velocity, 0 when it is let go
    time_ns: int  # time.monotonic_ns() at arrival
    clicks: int = 0  # of an increment message, which has no position: steps up or down; else 0

    @property
    def kind(self) -> str:
        """The first word of the control's name."""
        return self.control.partition("/")[0]


def check_control(name: str) -> str:
    """Return a control's name with its numbers written plainly. Raises ValueError with the form it must have."""
    kind, _, rest = name.strip().partition("/")
    if kind == "key":
        return f"key/{_check_key(name, rest)}"
    if kind == "osc":
        if not re.fullmatch(r"[^\s#*,?\[\]{}]+", rest):
            raise ValueError(f"{name!r} is no OSC address; write {FORMS['osc']}")
        return f"osc/{rest}"
    if kind == "audio":
        band = re.fullmatch(r"onset/(\d)", rest)
        if not band or not 1 <= int(band[1]) <= BANDS:
            raise ValueError(f"{name!r} is no sound event; write {FORMS['audio']}, bands 1 to {BANDS}")
        return f"audio/onset/{band[1]}"
    if kind in ("dmx", "dmx16"):
        return _check_dmx(name, kind, rest)
    if kind not in FORMS:
        words = ", ".join(list(FORMS.values())[:3])
        raise ValueError(f"{name!r} is no control{did_you_mean(kind, FORMS)}; write {words} or another of the table")
    return _check_midi(name, kind, rest)


def _check_midi(name: str, kind: str, rest: str) -> str:
    numbers = re.fullmatch(r"(\d{1,3})(?:/(\d{1,5}))?", rest)
    is_complete = numbers and (kind in _NUMBERS if numbers[2] else kind in _WITHOUT_NUMBER)
    if not numbers or not is_complete:
        raise ValueError(f"{name!r} is no control; write {FORMS[kind]}")
    channel = int(numbers[1])
    if channel not in CHANNELS:
        raise ValueError(f"{name!r}: MIDI channels are 1 to 16, not {channel}")
    if numbers[2] is None:
        return f"{kind}/{channel}"
    number = int(numbers[2])
    if number >= _NUMBERS[kind]:
        of_what = "MIDI numbers are" if _NUMBERS[kind] == 128 else f"numbers of {kind} are"
        raise ValueError(f"{name!r}: {of_what} 0 to {_NUMBERS[kind] - 1}, not {number}")
    return f"{kind}/{channel}/{number}"


def _check_dmx(name: str, kind: str, rest: str) -> str:
    """Read universe (from 0) and channel (from 1) as lighting desks count them."""
    numbers = re.fullmatch(r"(\d{1,5})/(\d{1,3})", rest)
    if not numbers:
        raise ValueError(f"{name!r} is no control; write {FORMS[kind]}")
    universe, channel = int(numbers[1]), int(numbers[2])
    last = DMX_CHANNELS if kind == "dmx" else DMX_CHANNELS - 1
    if universe >= DMX_UNIVERSES:
        raise ValueError(f"{name!r}: universes are 0 to {DMX_UNIVERSES - 1}, not {universe}")
    if not 1 <= channel <= last:
        raise ValueError(f"{name!r}: channels of {kind} are 1 to {last}, not {channel}")
    return f"{kind}/{universe}/{channel}"


def _check_key(name: str, rest: str) -> str:
    """Read a key as Qt spells it, modifiers in Qt's order: `Space`, `Ctrl+Shift+F1`, `Ctrl++`."""
    *before, key = [*rest[:-2].split("+"), "+"] if rest.endswith("++") else [rest] if rest == "+" else rest.split("+")
    modifiers = [word.strip().capitalize() for word in before]
    for word in modifiers:
        if word not in MODIFIERS:
            raise ValueError(f"{name!r}: {word!r} is no modifier{did_you_mean(word, MODIFIERS)}")
    spelled = {known.lower(): known for known in KEY_NAMES}.get(key.strip().lower(), key.strip())
    near = did_you_mean(key, KEY_NAMES)
    is_known = spelled in KEY_NAMES or len(spelled) == 1
    if not spelled or (not is_known and near):  # keyboards have more keys than anyone lists: Media Play, Volume Up
        raise ValueError(f"{name!r}: {key!r} is no key{near}")
    return "+".join([*(word for word in MODIFIERS if word in modifiers), spelled.upper()[:1] + spelled[1:]])
