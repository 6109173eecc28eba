"""JSON from elsewhere, read field by field: a value of a wrong type is one sentence with file, key and value.

Knows nothing of what the fields mean.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from vj.written_files import FileError, read_text, show_value

JsonTable = dict[str, Any]


def read_json(path: Path) -> object:
    """Read a JSON file; NaN and Infinity are no JSON. Raises FileError."""
    text = read_text(path)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise FileError(path, "is not JSON anyone would write: its brackets nest too deep") from None
    except ValueError as error:
        raise FileError(path, f"is not JSON: {error}") from None


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


class JsonFields:
    """Checks the fields of one file. `key` is the path to a field, for the sentence; null counts as absent."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse(self, key: str, wanted: str, value: object) -> NoReturn:
        """Raise the one sentence."""
        found = "is missing" if value is None else f"is {show_value(value)}"
        raise FileError(self.path, f"{key} {found}; it must be {wanted}")

    def table(self, key: str, value: object) -> JsonTable:
        """Return a table; absent is an empty one."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(key, "a table", value)
        return value

    def tables(self, key: str, value: object) -> list[tuple[str, JsonTable]]:
        """Return a list of tables, each with its own key; absent is empty."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(key, "a list", value)
        return [(f"{key}[{k}]", self.table(f"{key}[{k}]", line)) for k, line in enumerate(value)]

    def text(self, key: str, value: object) -> str:
        """Return a text without surrounding space; absent is empty."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(key, "a text", value)
        return value.strip()

    def number(self, key: str, value: object) -> float:
        """Return a finite number of 0 or more."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or value < 0 or (isinstance(value, float) and not math.isfinite(value)):
            self.refuse(key, "a number of 0 or more", value)
        return float(min(value, MAX_NUMBER))

    def whole(self, key: str, value: object) -> int:
        """Return a whole number of 0 or more."""
        if self.number(key, value) % 1.0:
            self.refuse(key, "a whole number", value)
        return int(value)


MAX_NUMBER = 1e15  # beyond it a float no longer counts whole numbers; a JSON integer can be longer than any float
