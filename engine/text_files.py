"""Files of words that people write, plain or TOML, read whole: never a folder, a pipe, a device or gigabytes.

Knows nothing of what they mean.
"""

from __future__ import annotations

import codecs
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

LARGEST_BYTES = 4 << 20  # thousands of cues, tens of thousands of prompts
# a key of hundreds of parts: the parser's time grows with the square of them
_ENDLESS_KEY = re.compile(r"""^[ \t\[]*(?:[\w"'-]+[ \t]*\.[ \t]*){200}""", re.MULTILINE)
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextFileError(ValueError):
    """A file that cannot be read as text. The message says why, without the file's name: "is a folder"."""


def read_text_file(path: Path) -> str:
    """Read UTF-8 text, with or without a byte order mark, any line ends. Raises TextFileError."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise TextFileError("is a folder; name a file in it")
        if not stat.S_ISREG(found.st_mode):  # reading it might never end
            raise TextFileError("is a pipe or a device; save its text in a file")
        if found.st_size > LARGEST_BYTES:
            size = f"{found.st_size / 1e6:.0f} MB"
            raise TextFileError(f"holds {size}, which nobody has written; {LARGEST_BYTES / 1e6:.0f} MB are read")
        content = path.read_bytes()
    except FileNotFoundError:
        raise TextFileError("there is no such file") from None
    except OSError as error:
        raise TextFileError(f"cannot be read ({error.strerror})") from None
    if content.startswith(_UTF_16_MARKS):
        raise TextFileError("is written in UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise TextFileError(f"is not a text file (byte {error.start} is not UTF-8)") from None


def read_toml_file(path: Path) -> dict[str, Any]:
    """Read a TOML file into plain data. Raises TextFileError, with line and column where that helps."""
    text = read_text_file(path)
    if _ENDLESS_KEY.search(text):
        raise TextFileError("is not TOML anyone would write: one of its keys has over two hundred parts")
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also a whole number of thousands of digits, which tomllib passes on
        raise TextFileError(f"is not TOML: {error}") from None
    except RecursionError:
        raise TextFileError("is not TOML anyone would write: its brackets nest too deep") from None
