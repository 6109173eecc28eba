"""What the text of an input's source means: which kind it is, and what of it names the thing itself.

Knows nothing of how any of them is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

KINDS = ("device", "clip", "still", "stream", "lavfi", "screen", "ndi", "spout", "syphon")
STILL_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".tga", ".ppm", ".pgm"}
_PREFIXED = re.compile(r"(lavfi|ndi|spout|syphon|device|file|screen):(?!//)(.*)", re.DOTALL)
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


@dataclass(frozen=True)
class SourceText:
    """One source, taken apart."""

    kind: str  # one of KINDS
    name: str  # without its prefix: a graph, a path, an address, a device's name or part of it


def read_source(text: str) -> SourceText:
    """Say what a source's text names. A text that is neither prefixed, an address nor a file is a device's name."""
    written = text.strip()
    if written == "screen":
        return SourceText("screen", "")
    if match := _PREFIXED.fullmatch(written):
        prefix, name = match[1], match[2].strip()
        return _file(name) if prefix == "file" else SourceText(prefix, name)
    if written.lower().startswith("file://"):
        return _file(written[len("file://") :])
    if _ADDRESS.match(written):
        return SourceText("stream", written)
    if _looks_like_device(written):
        return SourceText("device", written)
    if _looks_like_file(written):
        return _file(written)
    return SourceText("device", written)


def _file(name: str) -> SourceText:
    path = Path(name).expanduser()
    return SourceText("still" if path.suffix.lower() in STILL_SUFFIXES else "clip", str(path))


def _looks_like_device(written: str) -> bool:
    return written.startswith(("/dev/", "@device"))


def _looks_like_file(written: str) -> bool:
    """A path that is there, or one that can be nothing else: it has folders, or a suffix as films have."""
    try:
        if Path(written).expanduser().exists():
            return True
    except (OSError, ValueError):  # a name no file can have
        return False
    has_suffix = re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{1,4}", Path(written).suffix) is not None
    return "/" in written or "\\" in written or has_suffix
