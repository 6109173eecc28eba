"""Checksums of files, and what was found at the first download of a file that nobody published one for.

Such a pin is a small JSON file below `.pins` in the models folder, one per file. Reaches no network.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.downloads.catalogue import CHECKSUM, COMMIT, RemoteFile
from engine.downloads.places import own_folder

READ_BYTES = 4 << 20
PINS = ".pins"


@dataclass(frozen=True)
class Pin:
    """What a file was when it was first downloaded."""

    revision: str
    size_bytes: int
    checksum: str


def checksum_of(path: Path, kind: str, advance: Callable[[int], None] = lambda read_bytes: None) -> str:
    """Checksum of a file, with its kind in front; `advance` is told the bytes read. Raises OSError."""
    digest = hashlib.new("sha1" if kind == "git" else kind, usedforsecurity=False)
    if kind == "git":  # a blob's name: its length is hashed first
        digest.update(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
            advance(len(block))
    return f"{kind}:{digest.hexdigest()}"


def read_pin(file: RemoteFile) -> Pin | None:
    """What is known of a file from its first download; None when there was none, or its pin cannot be read."""
    try:
        pin = Pin(**json.loads(_pin_path(file).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    is_sound = isinstance(pin.size_bytes, int) and CHECKSUM.fullmatch(str(pin.checksum))
    return pin if is_sound and (not pin.revision or COMMIT.fullmatch(str(pin.revision))) else None


def write_pin(file: RemoteFile, pin: Pin) -> None:
    """Keep what a file is, whole or not at all. Raises OSError."""
    path = _pin_path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new.write_text(json.dumps(asdict(pin), indent=2) + "\n", "utf-8")
        new.replace(path)
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def _pin_path(file: RemoteFile) -> Path:
    return own_folder() / PINS / file.folder / f"{file.path}.json"
