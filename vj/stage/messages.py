"""What panels and stage tell each other: frozen, and plain enough for JSON. What one side does not know it ignores.

Knows nothing of how it travels.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.parameter import Value
from vj.effects.notes import EffectNote
from vj.output.decks import Take
from vj.output.playback import PlaybackStatus
from vj.stage.panic import Settings

EventKind = Literal["press", "release", "close", "lost", "found"]
KEPT_EVENTS = 64  # keys between two looks of the panels; at 250 looks a second no hand makes so many


@dataclass(frozen=True)
class Placement:
    """Where an output is to be. A new serial is an order; the same one has been carried out."""

    serial: int = 0
    output: int = 1  # its number; it stays the same for as long as the output is open
    display: str = ""  # name; empty or gone = the first one
    is_fullscreen: bool = False  # then a display that is gone is covered when it comes back
    window: tuple[int, int, int, int] | None = None  # left, top, width, height in Qt's pixels; None = where it was


@dataclass(frozen=True)
class OutputFacts:
    """Where an output is."""

    output: int = 1  # its number
    display: str = ""
    is_fullscreen: bool = False
    width: int = 0  # in the display's pixels
    height: int = 0
    refresh_hz: float = 0.0  # what the display says
    fps: float = 0.0  # refreshes drawn per second
    placed: int = 0  # serial of the last order carried out
    lost: str = ""  # name of the display it waits for; all but the first output are hidden meanwhile


@dataclass(frozen=True)
class StageEvent:
    """Something that happened once on the output. Numbers only grow: none is lost or heard twice."""

    number: int
    kind: EventKind  # a key; closing was refused; a display went or came back
    key: int = 0  # Qt's number
    modifiers: int = 0  # Qt's number
    text: str = ""  # of the key, or the display's name
    is_repeat: bool = False
    output: int = 1  # number of the output


@dataclass(frozen=True)
class Wishes:
    """Panels to stage."""

    values: Mapping[str, Value] = field(default_factory=dict)  # of output parameters, modulated, by address
    panic: Settings = field(default_factory=dict)
    placements: tuple[Placement, ...] = ()  # of every output that is to be open
    take: Take = Take()  # of the free deck; the same one has been carried out
    tap: bool = False  # the first output's pictures are wanted in their ring
    panels_started: str = ""  # when their process began: tells it from a later one of the same number
    panels_ns: int = 0  # when the panels' window last did anything (time.monotonic_ns)
    is_ending: bool = False  # the show is over: the stage ends too


@dataclass(frozen=True)
class StageState:
    """Stage to panels."""

    process_id: int = 0
    time_ns: int = 0  # when it was written (time.monotonic_ns)
    status: PlaybackStatus = PlaybackStatus()
    outputs: tuple[OutputFacts, ...] = ()  # those that are open
    warnings: tuple[str, ...] = ()  # what of the displays' rates may tear or judder: sentences
    notes: tuple[str, ...] = ()  # what else there is to know about them
    panic: Settings = field(default_factory=dict)
    events: tuple[StageEvent, ...] = ()  # the latest, oldest first
    gl_name: str = ""  # what draws: a card, or a software rasteriser
    bad_chunks: int = 0  # recognised and not shown
    tap_missed: int = 0  # refreshes of which no picture could be had although they are wanted
    tap_problem: str = ""  # why there are none at all: a sentence
    effects: tuple[EffectNote, ...] = ()  # what users' slots play, and what is wrong with any effect's file
    fault: str = ""  # why something else plays in the stream's place: black, frozen, late


def encode(message: Wishes | StageState) -> bytes:
    """Turn a message into JSON."""
    return json.dumps(vars(message), default=_plain, separators=(",", ":")).encode()


def decode_wishes(data: bytes) -> Wishes:
    """Read the panels' message; unknown fields are left out. Raises ValueError."""
    found = _object(data)
    take = Take(**_known(Take, found.get("take", {})))
    placements = tuple(_placement(_known(Placement, one)) for one in found.get("placements", []))
    return Wishes(**_known(Wishes, found) | {"placements": placements, "panic": _settings(found), "take": take})


def decode_state(data: bytes) -> StageState:
    """Read the stage's message; unknown fields are left out. Raises ValueError."""
    found = _object(data)
    return StageState(
        **_known(StageState, found)
        | {
            "status": PlaybackStatus(**_known(PlaybackStatus, found.get("status", {}))),
            "outputs": tuple(OutputFacts(**_known(OutputFacts, one)) for one in found.get("outputs", [])),
            "warnings": tuple(found.get("warnings", [])),
            "notes": tuple(found.get("notes", [])),
            "events": tuple(StageEvent(**_known(StageEvent, event)) for event in found.get("events", [])),
            "panic": _settings(found),
            "effects": tuple(_effect_note(_known(EffectNote, one)) for one in found.get("effects", [])),
        }
    )


def _plain(value: Any) -> dict[str, Any]:
    """Open what JSON has no word for: a message within a message, or a mapping that cannot change."""
    return dict(value) if isinstance(value, Mapping) else vars(value)


def _object(data: bytes) -> dict[str, Any]:
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError(f"a message between panels and stage is an object, not {type(found).__name__}")
    return found


def _known(kind: type, found: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in dataclasses.fields(kind)}
    return {name: value for name, value in found.items() if name in names}


def _effect_note(found: dict[str, Any]) -> EffectNote:
    return EffectNote(**found | {"labels": tuple(found.get("labels", ()))})


def _placement(found: dict[str, Any]) -> Placement:
    window = found.pop("window", None)
    return Placement(**found, window=tuple(window) if window else None)


def _settings(found: Mapping[str, Any]) -> Settings:
    return {address: (value, int(time_ns)) for address, (value, time_ns) in found.get("panic", {}).items()}
