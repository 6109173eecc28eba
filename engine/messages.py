"""The words between the instrument and the engine process: one JSON object per line, plain data only.

Frames never travel here (see `frame_ring.py`). Imports no torch; knows nothing of pipes, Qt or models.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import ClassVar

from engine.parameter import Value
from engine.plans.memory_plan import NOTHING_SAID, MemoryChoice


@dataclass(frozen=True)
class Start:
    """Instrument to a spare engine: what to load and where its ring is to be. The first word it hears."""

    type: ClassVar[str] = "start"
    ring: str
    model: str
    size: tuple[int, int] | None = None
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    is_light: bool = False
    memory: MemoryChoice = NOTHING_SAID
    accelerate: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArmedDeck:
    """What the free deck is armed with. A part of `Values`: an engine that is started anew arms it again."""

    serial: int  # number of the arming, from 1
    values: dict[str, Value]  # all its chunks are made with, texts included
    ring: str  # where its frames are to be
    preroll_s: float  # how far ahead it is filled


@dataclass(frozen=True)
class Values:
    """Instrument to engine: the latest engine values. Latest wins; sent whenever the store's version moved."""

    type: ClassVar[str] = "values"
    version: int
    values: dict[str, Value]  # address -> native units; texts are commands and absent here
    deck: ArmedDeck | None = None  # None = none is armed


ENCODE_AHEAD = "prompt/ahead"  # texts that may be wanted later


@dataclass(frozen=True)
class Command:
    """Instrument to engine: something that happens once. Never dropped, never merged, acknowledged by `Done`.

    Names: "cut/hard", "cut/soft", "prompt/text" {"pad": 1.., "text": str}, "lora/file" and "reference/file"
    {"slot": 1.., "file": str}, "deck/take" {"serial": int, "ring": where its frames go on}, "stop".
    ENCODE_AHEAD {"texts": [str, ..]} alone is answered by nobody: it changes nothing that is seen.
    """

    type: ClassVar[str] = "command"
    id: int
    name: str
    arguments: dict[str, Value] = field(default_factory=dict)
    at_ns: int | None = None  # presentation time on time.monotonic_ns(); None = now


@dataclass(frozen=True)
class Ready:
    """Engine to instrument: loaded; the ring exists and chunks follow."""

    type: ClassVar[str] = "ready"
    model: str
    width: int
    height: int
    rate_fps: float
    device: str


@dataclass(frozen=True)
class GeneratorStatus:
    """Engine to instrument: the back channel, sent around every chunk and when a field changes. Panels poll it."""

    type: ClassVar[str] = "status"
    state: str = "starting"  # starting | loading | streaming | failed | stopped
    detail: str = ""  # one sentence: what is being loaded, or what went wrong last
    model: str = ""
    generator_fps: float = 0.0  # frames made per second of making (idle waits excluded), over the last chunks
    chunk_s: float = 0.0  # seconds the last chunk took
    cut_s: float = 0.0  # seconds a cut must be ordered ahead, as measured now; 0 before the first chunk
    buffered_frames: int = 0
    chunks: int = 0
    stream_id: int = 0
    params_version: int = 0  # version the last chunk was made with
    prompts_on_screen: tuple[str, ...] = ()  # text each pad really plays
    prompts_waiting: tuple[int, ...] = ()  # pads (1..) whose text is not encoded yet
    loras: tuple[str, ...] = ()  # what the file of each LoRA slot is; empty = none, being read, or not heard
    lora_failures: tuple[str, ...] = ()  # why the file of each slot is not heard; empty = it is, or it is being read
    references: tuple[str, ...] = ()  # what the picture of each reference pad is; empty = none, or being read
    reference_failures: tuple[str, ...] = ()  # why the picture of each pad cannot be used; empty = it can
    input_notice: str = ""  # why the newest chunk does not follow inputs or references as asked; empty = it does
    given_up: int = 0  # chunks so far that a hard cue began anew before they were shown
    making_since_ns: int = 0  # when the chunk in the making was begun, its values taken; 0 = none is
    making_frames: int = 0  # frames that chunk will have at most
    moved_ns: int = 0  # when the chunk loop last got on: an engine that stands still says the same again
    memory_bytes: int = 0  # the engine uses on its device; 0 = not known
    free_bytes: int = 0  # of its device's memory; 0 = not known
    deck_serial: int = 0  # number of the arming the free deck is at; 0 = none
    deck_stream_id: int = 0  # of its frames
    deck_frames: int = 0  # that lie ready
    deck_s: float = 0.0  # the same in seconds
    deck_is_ready: bool = False  # it can be cut in without waiting for anything
    deck_problem: str = ""  # why it is not filled
    restarts: int = 0  # of the engine since the show began; written by the instrument
    width: int = 0  # of its pictures, in pixels; 0 = not loaded yet; written by the instrument
    height: int = 0


@dataclass(frozen=True)
class Done:
    """Engine to instrument: command `id` has taken effect, or why not."""

    type: ClassVar[str] = "done"
    id: int
    error: str = ""


@dataclass(frozen=True)
class Failure:
    """Engine to instrument: a sentence for the performer. The stream goes on unless `fatal`: then the engine ends.

    `cause` of a fatal one: "model" cannot be loaded whenever it is tried, "memory" is full, "" anything else.
    """

    type: ClassVar[str] = "failure"
    sentence: str
    fatal: bool = False
    cause: str = ""


SPARE_READY = 0  # id of the `Done` by which a spare engine says that it has imported everything

Message = Start | Values | Command | Ready | GeneratorStatus | Done | Failure
_KINDS: dict[str, type] = {kind.type: kind for kind in (Start, Values, Command, Ready, GeneratorStatus, Done, Failure)}


def encode(message: Message) -> bytes:
    """One line of UTF-8 JSON, newline included."""
    return json.dumps({"type": message.type, **dataclasses.asdict(message)}, ensure_ascii=False).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Read one line. Raises ValueError with a sentence for anything that is not a known message."""
    try:
        fields = json.loads(line)
        kind = _KINDS[fields.pop("type")]
        message = kind(**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a message: {line[:80]!r} ({error})") from None
    if isinstance(message, Start):
        return _read_start(message, line)
    if isinstance(message, Values) and message.deck is not None:
        return dataclasses.replace(message, deck=_read_deck(message.deck, line))
    if isinstance(message, GeneratorStatus):
        return dataclasses.replace(
            message,
            prompts_on_screen=tuple(message.prompts_on_screen),
            prompts_waiting=tuple(message.prompts_waiting),
            loras=tuple(message.loras),
            lora_failures=tuple(message.lora_failures),
            references=tuple(message.references),
            reference_failures=tuple(message.reference_failures),
        )
    return message


def _read_start(start: Start, line: bytes) -> Start:
    try:
        memory = MemoryChoice(**start.memory) if isinstance(start.memory, dict) else start.memory
    except TypeError as error:
        raise ValueError(f"not a start: {line[:80]!r} ({error})") from None
    size = None if start.size is None else tuple(start.size)
    return dataclasses.replace(start, size=size, memory=memory, accelerate=tuple(start.accelerate))


def _read_deck(fields: object, line: bytes) -> ArmedDeck:
    try:
        return ArmedDeck(**fields)
    except TypeError as error:
        raise ValueError(f"not a deck: {line[:80]!r} ({error})") from None
