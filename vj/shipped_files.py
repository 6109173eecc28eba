"""Where mappings, looks and timelines are: a show's folder first, then the user's, then what shipped.

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
OSC_TEMPLATES = "presets/osc"
EFFECTS = "presets/effects"
CROSSFADES = "presets/crossfades"
SUFFIXES = {
    MAPPINGS: (".toml",),
    LOOKS: (".toml",),
    TIMELINES: (".toml", ".json"),
    OSC_TEMPLATES: (".toml",),
    EFFECTS: (".fs",),
    CROSSFADES: (".fs",),
}


def user_folder(kind: str) -> Path:
    """Return the user's own folder of a kind; it may not exist."""
    return platformdirs.user_config_path("vj", appauthor=False) / kind


def shipped_folder(kind: str) -> Path:
    """Return the folder that came with the instrument: inside the installed package, or in the checkout."""
    package = Path(str(importlib.resources.files("vj")))
    installed = package / "_shipped" / kind
    return installed if installed.is_dir() else package.parent / kind


class Library:
    """Folders in the order in which they win: a show's, the user's own, what shipped. Reads the disk at each call."""

    def __init__(self, show: Path | None = None) -> None:
        """`show` is the folder of a show, with looks/, mappings/ and timelines/ in it."""
        self.show = show

    def folders(self, kind: str) -> tuple[Path, ...]:
        """Folders of a kind, the winning one first; they may not exist."""
        own = (user_folder(kind), shipped_folder(kind))
        return own if self.show is None else (show_folder(self.show, kind), *own)

    def list_files(self, kind: str) -> dict[str, Path]:
        """List the files of a kind by name without suffix, in order of name."""
        found: dict[str, Path] = {}
        for folder in reversed(self.folders(kind)):
            found |= _files_in(folder, kind)
        return dict(sorted(found.items()))

    def own_files(self, kind: str) -> dict[str, Path]:
        """List what did not ship: the show's and the user's."""
        shipped = shipped_folder(kind)
        return {name: path for name, path in self.list_files(kind).items() if path.parent != shipped}

    def find_file(self, name_or_path: str | Path, kind: str) -> Path:
        """Resolve what a person wrote: the path of a file, or the name of one of ours.

        Raises FileError with the nearest name when there is neither.
        """
        path = Path(name_or_path)
        try:
            if path.exists():
                return path
        except (OSError, ValueError) as error:  # a name too long, or with a zero byte in it
            reason = error.strerror if isinstance(error, OSError) else error
            raise FileError(path, f"cannot be looked for ({reason})") from None
        known = self.list_files(kind)
        name = path.stem if path.suffix.lower() in SUFFIXES[kind] else path.name
        if path.parent == Path() and name in known:
            return known[name]
        raise FileError(path, f"there is no such file{did_you_mean(name, known)}")


def show_folder(show: Path, kind: str) -> Path:
    """Return a show's folder of a kind: `looks` for presets/looks."""
    return show / Path(kind).name


def list_shipped(kind: str) -> dict[str, Path]:
    """List what came with the instrument by name without suffix, in order of name."""
    return _files_in(shipped_folder(kind), kind)


def list_files(kind: str) -> dict[str, Path]:
    """List the files of a kind by name without suffix, in order of name; the user's win over shipped ones."""
    return Library().list_files(kind)


def find_file(name_or_path: str | Path, kind: str) -> Path:
    """Resolve a path or a name among the user's and the shipped files. Raises FileError with the nearest name."""
    return Library().find_file(name_or_path, kind)


def _files_in(folder: Path, kind: str) -> dict[str, Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:  # a folder that is not there, or not ours to read, holds nothing
        return {}
    return {path.stem: path for path in paths if path.suffix.lower() in SUFFIXES[kind] and path.is_file()}
