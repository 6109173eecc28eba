"""Where mappings, looks and timelines are: the user's folder first, then what ships with the instrument.

Knows nothing of what is in the files.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import platformdirs

from engine.preset_table import did_you_mean
from vj.written_files import FileError

MAPPINGS = "mappings"
LOOKS = "presets/looks"
TIMELINES = "presets/timelines"
SUFFIXES = {MAPPINGS: (".toml",), LOOKS: (".toml",), TIMELINES: (".toml", ".json")}


def user_folder(kind: str) -> Path:
    """Return the user's own folder of a kind; it may not exist."""
    return platformdirs.user_config_path("vj", appauthor=False) / kind


def shipped_folder(kind: str) -> Path:
    """Return the folder that came with the instrument: inside the installed package, or in the checkout."""
    package = Path(str(importlib.resources.files("vj")))
    installed = package / "_shipped" / kind
    return installed if installed.is_dir() else package.parent / kind


def list_files(kind: str) -> dict[str, Path]:
    """List the files of a kind by name without suffix, in order of name; the user's win over shipped ones."""
    found: dict[str, Path] = {}
    for folder in (shipped_folder(kind), user_folder(kind)):
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in SUFFIXES[kind] and path.is_file():
                found[path.stem] = path
    return dict(sorted(found.items()))


def find_file(name_or_path: str | Path, kind: str) -> Path:
    """Resolve what a person wrote: the path of a file, or the name of one of ours.

    Raises FileError with the nearest name when there is neither.
    """
    path = Path(name_or_path)
    try:
        if path.exists():
            return path
    except OSError as error:
        raise FileError(path, f"cannot be looked for ({error.strerror})") from None
    known = list_files(kind)
    name = path.stem if path.suffix.lower() in SUFFIXES[kind] else path.name
    if path.parent == Path() and name in known:
        return known[name]
    raise FileError(path, f"there is no such file{did_you_mean(name, known)}")
