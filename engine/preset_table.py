"""One table of a TOML file read key by key: types, ranges, unknown keys, every problem kept with file and key.

Knows nothing of what the keys mean.
"""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.text_files import TextFileError, read_toml_file

_MISSING = object()
LARGEST_NUMBER = sys.float_info.max


class PresetError(ValueError):
    """A preset that cannot be used. The message has one line per problem: file: key: what is wrong."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'x'?" for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def read_table(path: Path) -> PresetTable:
    """Read a TOML file. Raises PresetError with a sentence."""
    try:
        content = read_toml_file(path)
    except TextFileError as error:
        raise PresetError(f"{path}: {error}") from None
    return PresetTable(path, "", content, [])


class PresetTable:
    """Asks for keys; a wrong value is noted and its default goes on, so that all problems are told at once."""

    def __init__(self, path: Path, prefix: str, content: dict[str, Any], problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        self._prefix = prefix
        self._content = content
        self._asked: set[str] = set()

    def table(self, key: str) -> PresetTable:
        """Return the table [key]; an empty one when it is missing, so that what it lacks is reported."""
        content = self._take(key, {})
        if not isinstance(content, dict):
            self.complain(key, f"must be a table: [{key}]")
            content = {}
        return PresetTable(self.path, f"{self._prefix}{key}.", content, self.problems)

    def tables(self, key: str) -> list[PresetTable]:
        """Return the tables [[key]]; none when there are none."""
        content = self._take(key, [])
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            self._complain_type(key, content, f"a list of tables: [[{key}]]")
            return []
        return [
            PresetTable(self.path, f"{self._prefix}{key}[{number}].", item, self.problems)
            for number, item in enumerate(content)
        ]

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; an empty one when it is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._complain_type(key, value, "a list of texts")
            return ()
        return tuple(value)

    def text(self, key: str, default: str | None = None, choices: tuple[str, ...] = ()) -> str:
        """Return a text, one of `choices` if there are any."""
        value = self._take(key, default)
        if not isinstance(value, str):
            self._complain_type(key, value, "a text")
            return default or ""
        if choices and value not in choices:
            self.complain(key, f"{value!r} is not one of {', '.join(choices)}{did_you_mean(value, choices)}")
        return value

    def integer(self, key: str, default: int | None = None, minimum: int = 1, maximum: int = 2**31 - 1) -> int:
        """Return a whole number in range."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            self._complain_type(key, value, "a whole number")
            return default or minimum
        if not minimum <= value <= maximum:
            self.complain(key, f"{value} is outside {minimum} to {maximum}")
            return default or minimum
        return value

    def number(self, key: str, default: float | None = None, minimum: float = 0.0, maximum: float = math.inf) -> float:
        """Return a finite number in range."""
        value = self._take(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self._complain_type(key, value, "a number")
            return default or minimum
        if not minimum <= value <= maximum or not _is_number(value):
            self.complain(key, f"{value} is outside {minimum:g} to {maximum:g}")
            return default or minimum
        return float(value)

    def numbers(self, key: str, default: tuple[float, ...] = ()) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(_is_number(item) for item in value):
            self._complain_type(key, value, "a list of numbers")
            return default
        return tuple(value)

    def switch(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        self._complain_type(key, value, "true or false")
        return default

    def has(self, key: str) -> bool:
        """Whether the key is written."""
        return key in self._content

    def complain(self, key: str, sentence: str) -> None:
        """Note a problem of a key."""
        self.problems.append(f"{self.path}: {self._prefix}{key}: {sentence}")

    def finish(self) -> None:
        """Note every key nobody asked for."""
        for key in self._content.keys() - self._asked:
            self.complain(key, f"is unknown{did_you_mean(key, self._asked - self._content.keys() or self._asked)}")

    def _take(self, key: str, default: object) -> Any:
        self._asked.add(key)
        return self._content.get(key, _MISSING if default is None else default)

    def _complain_type(self, key: str, value: object, wanted: str) -> None:
        self.complain(key, "is missing" if value is _MISSING else f"{value!r} is not {wanted}")


def _is_number(value: object) -> bool:
    # compared, not asked with math.isfinite, which fails for whole numbers longer than any float
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -LARGEST_NUMBER <= value <= LARGEST_NUMBER
