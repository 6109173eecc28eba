"""Files people write: reading TOML, and problems told with file, key and value.

Knows nothing of what the files mean.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class FileError(ValueError):
    """A file that cannot be used at all. The message is one sentence that begins with the file's name."""

    def __init__(self, path: Path, sentence: str) -> None:
        self.path = path
        super().__init__(f"{path}: {sentence}")


@dataclass(frozen=True)
class Problem:
    """Something in a file that was left out; the rest of the file was loaded."""

    path: Path
    key: str
    sentence: str

    def __str__(self) -> str:
        """One line for the strip and the terminal: file, key, what is wrong."""
        return f"{self.path.name}: {self.key}: {self.sentence}"


def read_text(path: Path) -> str:
    """Read a UTF-8 text. Raises FileError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileError(path, "there is no such file") from None
    except UnicodeDecodeError as error:
        raise FileError(path, f"is not a text file (byte {error.start} is not UTF-8)") from None
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror})") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into plain data. Raises FileError with line and column."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also a whole number of thousands of digits, which tomllib passes on
        raise FileError(path, f"is not TOML: {error}") from None
    except RecursionError:
        raise FileError(path, "is not TOML anyone would write: its brackets nest too deep") from None


def show_value(value: object) -> str:
    """Return a value as a short text for a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
