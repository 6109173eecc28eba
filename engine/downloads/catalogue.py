"""What can be downloaded: repositories, their files and parts, out of presets/downloads/*.toml.

Every file is declared there once; model presets name it as `models:FOLDER/PATH`. Reaches no network, imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.preset_folders import preset_files
from engine.preset_table import PresetError, PresetTable, did_you_mean, read_table
from engine.text_files import TextFileError, read_toml_file

PREFIX = "models:"  # of a reference to a file in a models folder
DOWNLOADS, MODELS = "downloads", "models"
CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}|git:[0-9a-f]{40}")
COMMIT = re.compile(r"[0-9a-f]{40}")
LARGEST_BYTES = 10**15
KINDS = ("model", "part", "set")


@dataclass(frozen=True)
class RemoteFile:
    """One published file. What is not known of it is taken from the server at the first download, and kept."""

    source: str  # OWNER/NAME on the hub, or an address that begins with https://
    path: str  # below the source, with /
    folder: str  # its first folder on this machine
    revision: str = ""  # commit; "" = the newest at the first download
    size_bytes: int | None = None
    checksum: str = ""  # sha256:..., md5:... or git:... (a git blob's sha1)

    @property
    def reference(self) -> str:
        """How presets name it."""
        return f"{PREFIX}{self.folder}/{self.path}"

    @property
    def is_on_hub(self) -> bool:
        """Whether it is a file of a hub repository, not of a plain address."""
        return "://" not in self.source


@dataclass(frozen=True)
class Part:
    """Files that are of use together, under the name a person asks for."""

    name: str
    description: str
    licence: str
    files: tuple[RemoteFile, ...]
    weight: float | None = None  # of a LoRA: the strength its authors publish it with


@dataclass(frozen=True)
class Wanted:
    """What a name stands for: a model, a part or a set of parts."""

    name: str
    kind: str  # one of KINDS
    description: str
    licence: str
    files: tuple[RemoteFile, ...]  # empty for a model that ships


class Catalogue:
    """All that can be downloaded, read once. Immutable; any thread may ask."""

    def __init__(self, parts: Iterable[Part], sets: Iterable[tuple[str, str, tuple[str, ...]]] = ()) -> None:
        """`sets` are (name, description, names of parts)."""
        self.parts = {part.name: part for part in parts}
        self._sets = {name: (description, names) for name, description, names in sets}
        self._files = {file.reference: file for part in self.parts.values() for file in part.files}

    def file(self, reference: str) -> RemoteFile | None:
        """The declared file of a reference."""
        return self._files.get(reference)

    def names(self) -> list[str]:
        """Models first, then parts, then sets, each in order."""
        return list(dict.fromkeys([*preset_files(MODELS), *sorted(self.parts), *sorted(self._sets)]))

    def wanted(self, name: str) -> Wanted:
        """What a name stands for. Raises PresetError with the nearest name."""
        models = preset_files(MODELS)
        if name in models:
            return self._model(name, models[name])
        if part := self.parts.get(name):
            return Wanted(name, "part", part.description, part.licence, part.files)
        if name in self._sets:
            description, names = self._sets[name]
            parts = [self.parts[part] for part in names]
            licences = " + ".join(dict.fromkeys(part.licence for part in parts))
            files = tuple(dict.fromkeys(file for part in parts for file in part.files))
            return Wanted(name, "set", description, licences, files)
        near = did_you_mean(name, self.names())
        raise PresetError(f"there is no model {name!r}{near}; `vj models list` shows all")

    def _model(self, name: str, path: Path) -> Wanted:
        top = read_table(path)
        files = []
        for reference in references_in(path):
            file = self.file(reference)
            if file is None:
                near = did_you_mean(reference, self._files)
                raise PresetError(f"{path}: {reference!r} is declared in no file of presets/downloads{near}")
            files.append(file)
        described, licence = top.text("description", ""), top.text("licence", "unknown")
        return Wanted(name, "model", described, licence, tuple(dict.fromkeys(files)))


def references_in(preset: Path) -> list[str]:
    """Every `models:` reference written in a preset, in order. Raises PresetError when it cannot be read."""
    try:
        content = read_toml_file(preset)
    except TextFileError as error:
        raise PresetError(f"{preset}: {error}") from None
    return list(dict.fromkeys(text for text in _texts_in(content) if text.startswith(PREFIX)))


def read_catalogue() -> Catalogue:
    """Read all of presets/downloads. Raises PresetError naming every problem."""
    problems: list[str] = []
    parts: list[Part] = []
    sets: list[tuple[str, str, tuple[str, ...]]] = []
    for path in preset_files(DOWNLOADS).values():
        top = read_table(path)
        top.problems = problems
        parts += _read_parts(top)
        for table in top.tables("sets"):
            sets.append((table.text("name"), table.text("description"), table.texts("parts")))
            table.finish()
        top.finish()
    names = [part.name for part in parts] + [name for name, _, _ in sets]
    problems += [f"presets/downloads: {name!r} is the name of two parts" for name in _doubles(names)]
    problems += [
        f"presets/downloads: {reference} is declared twice"
        for reference in _doubles(file.reference for part in parts for file in part.files)
    ]
    known = {part.name for part in parts}
    for name, _, members in sets:
        problems += [f"presets/downloads: set {name!r}: there is no part {m!r}" for m in members if m not in known]
    if problems:
        raise PresetError("\n".join(problems))
    return Catalogue(parts, sets)


def _read_parts(top: PresetTable) -> list[Part]:
    tables = top.tables("parts")
    if not tables:
        return []
    source = top.text("address", "") or top.text("repository")
    folder = top.text("folder", source.rpartition("/")[2])
    revision, licence = _checked(top, "revision", COMMIT), top.text("licence")
    parts = []
    for table in tables:
        part_revision = _checked(table, "revision", COMMIT) or revision
        files = []
        for entry in table.tables("files"):
            size = entry.integer("size", 0, 0, LARGEST_BYTES) or None
            path = entry.text("path")
            if not path or ".." in path.split("/") or path.startswith("/") or "\\" in path:
                entry.complain("path", f"{path!r} must be a path below the repository, with /")
            files.append(RemoteFile(source, path, folder, part_revision, size, _checked(entry, "checksum", CHECKSUM)))
            entry.finish()
        weight = table.number("weight", 1.0, -10.0, 10.0) if table.has("weight") else None
        described = table.text("description")
        parts.append(Part(table.text("name"), described, table.text("licence", licence), tuple(files), weight))
        table.finish()
    return parts


def _checked(table: PresetTable, key: str, pattern: re.Pattern[str]) -> str:
    value = table.text(key, "")
    if value and not pattern.fullmatch(value):
        table.complain(key, f"{value!r} is not of the form {pattern.pattern}")
        return ""
    return value


def _doubles(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)
