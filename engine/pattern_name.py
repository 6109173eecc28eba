"""Reads the name of a test pattern: how fast it is made, whether it is stamped, and what goes wrong at which chunk.

`test-pattern[+stamp][:FAULT=CHUNKS[,FAULT=CHUNKS]...][@FPS]`, for example `test-pattern+stamp:black=5-8,hang=20@16`.
Imports nothing heavy: the command line checks names with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.model_presets import TEST_PATTERN_NAME
from engine.preset_table import did_you_mean

HEAVY = "heavy"  # out of memory with the full decoder, not with the light one
FAULTS = ("nan", "black", "frozen", "slow", "hang", "die", "wrongsize", "oom", HEAVY)
STAMP = "stamp"
SLOWEST_FPS, FASTEST_FPS = 0.1, 1000.0
_NAME = re.compile(rf"{TEST_PATTERN_NAME}(\+(?P<extra>[^:@]*))?(:(?P<faults>[^@]*))?(@(?P<speed>.*))?")
_FAULT = re.compile(r"(?P<kind>[a-z]+)=(?P<first>\d{1,9})(?P<more>-(?P<last>\d{1,9})?)?")


@dataclass(frozen=True)
class PatternFault:
    """One thing that goes wrong, from chunk `first` to chunk `last` (1 = the first the process makes)."""

    kind: str  # one of FAULTS
    first: int
    last: int | None  # None = for good

    def strikes(self, chunk: int) -> bool:
        """Whether chunk number `chunk` (1..) is one it spoils."""
        return self.first <= chunk and (self.last is None or chunk <= self.last)


@dataclass(frozen=True)
class PatternName:
    """What a test pattern's name asks for."""

    made_fps: float | None = None  # frames made a second; None = as fast as they are drawn
    is_stamped: bool = False
    faults: tuple[PatternFault, ...] = ()


def is_test_pattern(model: str) -> bool:
    """Whether a model's name is a test pattern's, well formed or not."""
    return re.match(rf"{TEST_PATTERN_NAME}(?![^+:@])", model) is not None


def read_pattern_name(model: str) -> PatternName:
    """Take a name apart; `is_test_pattern` must hold. Raises ValueError with a sentence."""
    match = _NAME.fullmatch(model)
    if match is None or match["extra"] not in (None, STAMP):
        raise ValueError(f"model {model!r}: a test pattern is {TEST_PATTERN_NAME}[+{STAMP}][:FAULT=CHUNK,...][@FPS]")
    faults = match["faults"].split(",") if match["faults"] is not None else ()
    return PatternName(
        made_fps=_read_speed(model, match["speed"]),
        is_stamped=match["extra"] == STAMP,
        faults=tuple(_read_fault(model, words) for words in faults),
    )


def _read_speed(model: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        made_fps = float(text)
    except ValueError:
        made_fps = 0.0
    if not SLOWEST_FPS <= made_fps <= FASTEST_FPS:
        raise ValueError(f"model {model!r}: write frames a second, {SLOWEST_FPS:g} to {FASTEST_FPS:g}, after the @")
    return made_fps


def _read_fault(model: str, words: str) -> PatternFault:
    match = _FAULT.fullmatch(words)
    if match is None:
        raise ValueError(f"model {model!r}: write a fault as black=5 (chunk 5), black=5-8 or black=5- (for good)")
    if match["kind"] not in FAULTS:
        near = did_you_mean(match["kind"], FAULTS)
        raise ValueError(f"model {model!r}: {match['kind']!r} is not one of {', '.join(FAULTS)}{near}")
    first = int(match["first"])
    last = first if match["more"] is None else int(match["last"]) if match["last"] else None
    return PatternFault(match["kind"], first, last)
