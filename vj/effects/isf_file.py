"""An effect file in ISF form: a JSON header in the first comment, then GLSL. Read and checked; nothing is compiled.

What of ISF is not supported is told in a sentence with its line. Knows nothing of GL.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.preset_table import did_you_mean
from vj.effects.buffer_size import check_size
from vj.written_files import FileError, read_text

KINDS = ("float", "bool", "long", "color", "point2D", "event", "image")
COMPONENTS = {"color": ("red", "green", "blue"), "point2D": ("x", "y")}
PICTURE, FADE_START, FADE_END, PROGRESS = "inputImage", "startImage", "endImage", "progress"
_HEADER = re.compile(r"/\*(.*?)\*/", re.DOTALL)
_NAME = re.compile(r"[A-Za-z]\w*")
_UNSUPPORTED = {"IMPORTED": "imported pictures", "PERSISTENT_BUFFERS": "buffers of ISF 1 (write them as PASSES)"}
_LONGEST_BYTES = 256 << 10


class EffectFileError(FileError):
    """A file that is no effect this program plays; the sentence names the line where one is known."""

    def __init__(self, path: Path, sentence: str, line: int = 0) -> None:
        self.line = line
        super().__init__(path, f"line {line}: {sentence}" if line else sentence)

    @property
    def told(self) -> str:
        """The sentence with the file's name alone, for a panel."""
        return f"{self.path.name}{str(self).removeprefix(str(self.path))}"


@dataclass(frozen=True)
class EffectInput:
    """One input of an effect. A number for float and long, one per component for color and point2D."""

    name: str
    kind: str
    label: str
    unit: str = ""
    help: str = ""
    default: tuple[float, ...] = (0.0,)
    minimum: tuple[float, ...] = (0.0,)
    maximum: tuple[float, ...] = (1.0,)
    curve: str = "linear"
    numbers: tuple[int, ...] = ()  # of a long: what its choices stand for
    choices: tuple[str, ...] = ()  # of a long: their names

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the numbers it is made of; one without a name for most kinds."""
        return COMPONENTS.get(self.kind, ("",))


@dataclass(frozen=True)
class EffectPass:
    """One drawing. Without a target it is the last one, onto the result."""

    target: str = ""
    is_persistent: bool = False
    is_float: bool = False
    width: str = "$WIDTH"
    height: str = "$HEIGHT"


@dataclass(frozen=True)
class Effect:
    """One file."""

    name: str  # of the file, without suffix
    description: str
    inputs: tuple[EffectInput, ...]  # without the picture
    passes: tuple[EffectPass, ...]  # the last one is the result
    body: str  # the GLSL after the header
    body_line: int  # in which line of the file it begins
    place: int = 0  # where it stands in the chain unless a hand moves it; 0 = not said
    is_flashing: bool = False  # wants FLASH: how much of a flash is let through
    images: tuple[str, ...] = (PICTURE,)

    @property
    def is_crossfade(self) -> bool:
        """Whether it brings one picture over another."""
        return FADE_START in self.images


def read_effect(path: Path) -> Effect:
    """Read and check a file. Raises EffectFileError, or FileError when it cannot be read."""
    if path.is_file() and path.stat().st_size > _LONGEST_BYTES:
        raise EffectFileError(path, f"is longer than {_LONGEST_BYTES >> 10} KB")
    text = read_text(path)
    found = _HEADER.search(text)
    if found is None:
        raise EffectFileError(path, "has no ISF header: a comment with JSON before the GLSL", 1)
    first_line = text.count("\n", 0, found.start(1)) + 1
    try:
        header = json.loads(found[1])
    except json.JSONDecodeError as error:
        raise EffectFileError(path, f"the header is not JSON: {error.msg}", first_line + error.lineno - 1) from None
    if not isinstance(header, dict):
        raise EffectFileError(path, "the header must be a JSON object: { ... }", first_line)
    return _Reading(path, text, header).effect(found.end())


class _Reading:
    """Turns one header into an Effect."""

    def __init__(self, path: Path, text: str, header: dict[str, Any]) -> None:
        self._path, self._text, self._header = path, text, header

    def effect(self, body_start: int) -> Effect:
        """Check everything and put it together."""
        for key, what in _UNSUPPORTED.items():
            if self._header.get(key):
                self._refuse(f"{what} are not supported", key)
        if self._path.with_suffix(".vs").exists():
            raise EffectFileError(self._path, f"vertex shaders are not supported ({self._path.stem}.vs lies beside it)")
        every = [self._input(one) for one in self._list("INPUTS")]
        images = tuple(one.name for one in every if one.kind == "image")
        if set(images) not in ({PICTURE}, set(), {FADE_START, FADE_END}):
            strange = next((name for name in images if name != PICTURE), images[0])
            self._refuse(f"the only picture there is is {PICTURE}; {strange!r} is not supported", strange)
        inputs = tuple(one for one in every if one.kind != "image")
        names = [one.name for one in every]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            self._refuse(f"the input {twice!r} is there twice", twice)
        if FADE_START in images:
            inputs = tuple(one for one in inputs if one.name != PROGRESS)
        return Effect(
            self._path.stem,
            str(self._header.get("DESCRIPTION", "")),
            inputs,
            self._passes(),
            self._text[body_start:],
            self._text.count("\n", 0, body_start) + 1,
            int(self._number(self._header, "PLACE", 0.0)),
            bool(self._header.get("FLASH", False)),
            images,
        )

    def _input(self, one: Any) -> EffectInput:
        name = one.get("NAME") if isinstance(one, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._refuse("each of INPUTS needs a NAME of letters, digits and _", "INPUTS")
        kind = one.get("TYPE")
        if kind not in KINDS:
            hint = "sound is heard by modulators, on any knob" if kind in ("audio", "audioFFT") else ""
            hint = hint or f"there are {', '.join(KINDS)}{did_you_mean(str(kind), KINDS)}"
            self._refuse(f"the input {name!r} of type {kind!r} is not supported: {hint}", name)
        label, unit, words = (str(one.get(key, "")) for key in ("LABEL", "UNIT", "HELP"))
        said = (name, str(kind), label or name.replace("_", " "), unit, words)
        if kind in ("image", "event"):
            return EffectInput(*said)
        if kind == "long":
            return EffectInput(*said, **self._choices(name, one))
        count = len(COMPONENTS.get(str(kind), ("",)))
        low, high = self._numbers(one, "MIN", 0.0, count), self._numbers(one, "MAX", 1.0, count)
        if any(a >= b for a, b in zip(low, high, strict=True)):
            self._refuse(f"MIN of {name!r} is not below its MAX", name)
        default = self._numbers(one, "DEFAULT", 0.0, count)
        default = tuple(min(b, max(a, d)) for a, d, b in zip(low, default, high, strict=True))
        curve = str(one.get("CURVE", "linear"))
        if curve not in ("linear", "square", "log"):
            self._refuse(f"CURVE of {name!r} must be linear, square or log", name)
        return EffectInput(*said, default, low, high, curve)

    def _choices(self, name: str, one: dict[str, Any]) -> dict[str, Any]:
        numbers = one.get("VALUES")
        if not numbers:
            low, high = (int(self._number(one, key, other)) for key, other in (("MIN", 0.0), ("MAX", 1.0)))
            numbers = list(range(low, min(high, low + 255) + 1))
        if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
            self._refuse(f"VALUES of {name!r} must be a list of whole numbers", name)
        labels = [str(label) for label in one.get("LABELS", numbers)]
        if len(labels) != len(numbers):
            self._refuse(f"{name!r} has {len(numbers)} VALUES and {len(labels)} LABELS", name)
        held = int(self._number(one, "DEFAULT", float(numbers[0])))
        index = numbers.index(held) if held in numbers else 0
        return {
            "default": (float(index),),
            "maximum": (float(max(1, len(numbers) - 1)),),
            "numbers": tuple(numbers),
            "choices": tuple(labels),
        }

    def _passes(self) -> tuple[EffectPass, ...]:
        passes = []
        for one in self._list("PASSES"):
            if not isinstance(one, dict):
                self._refuse("each of PASSES must be an object: { ... }", "PASSES")
            width, height = (str(one.get(key, f"${key}")) for key in ("WIDTH", "HEIGHT"))
            for size in (width, height):
                try:
                    check_size(size)
                except ValueError as error:
                    self._refuse(str(error), size)
            is_kept, is_float = bool(one.get("PERSISTENT", False)), bool(one.get("FLOAT", False))
            passes.append(EffectPass(str(one.get("TARGET", "")), is_kept, is_float, width, height))
        if not passes or passes[-1].target:
            passes.append(EffectPass())  # what was drawn last is shown by a pass of its own
        if any(not one.target for one in passes[:-1]):
            self._refuse("only the last of PASSES may be without a TARGET", "PASSES")
        if strange := next((one.target for one in passes if one.target and not _NAME.fullmatch(one.target)), ""):
            self._refuse("a TARGET is a name of letters, digits and _", strange)
        return tuple(passes)

    def _list(self, key: str) -> list[Any]:
        found = self._header.get(key, [])
        if not isinstance(found, list):
            self._refuse(f"{key} must be a list: [ ... ]", key)
        return found

    def _numbers(self, one: dict[str, Any], key: str, other: float, count: int) -> tuple[float, ...]:
        found = one.get(key)
        if isinstance(found, list) and len(found) >= count:
            return tuple(self._number({key: number}, key, other) for number in found[:count])
        return (self._number(one, key, other),) * count

    def _number(self, one: dict[str, Any], key: str, other: float) -> float:
        found = one.get(key, other)
        if not isinstance(found, int | float) or not abs(found) < 1e9:
            self._refuse(f"{key} must be a number, not {found!r}", key)
        return float(found)

    def _refuse(self, sentence: str, near: str) -> None:
        """Raise with the line in which a word of the header stands."""
        at = self._text.find(f'"{near}"')
        raise EffectFileError(self._path, sentence, self._text.count("\n", 0, at) + 1 if at >= 0 else 0)
