"""Files people write: reading TOML, writing whole or not at all, and problems told with file, key and value.

Knows nothing of what the files mean.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.text_files import TextFileError, read_text_file, read_toml_file


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
        return read_text_file(path)
    except TextFileError as error:
        raise FileError(path, str(error)) from None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text whole or not at all, as `replace_file` does."""
    replace_file(path, lambda file: file.write(text.encode("utf-8")))


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` make a file whole: the one that was there stays until the new one is on the disk. May wait for it.

    Makes the folder. Raises FileError, and then the old file is untouched.
    """
    temporary = path.with_name(f".{path.name[:40]}.{os.getpid()}-{time.monotonic_ns()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise FileError(path, f"cannot be written ({error.strerror or error})") from None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into plain data. Raises FileError with line and column."""
    try:
        return read_toml_file(path)
    except TextFileError as error:
        raise FileError(path, str(error)) from None


def show_value(value: object) -> str:
    """Return a value as a short text for a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
