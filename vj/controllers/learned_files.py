"""The mapping files that learning writes: one per device in the user's folder; comments in them are kept.

Knows nothing of events or routers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from vj.controllers.bindings import RANGED_KINDS, Binding
from vj.written_files import FileError, read_text

PREFIX = "learned_"


@dataclass(frozen=True)
class FileEdit:
    """One change of one file, to be taken back."""

    path: Path
    before: str | None  # None = there was no file
    after: str
    what: str = ""


class LearnedFiles:
    """Writes lines of mapping files. Belongs to one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def owns(self, path: Path) -> bool:
        """Whether a mapping file is one of those written here."""
        return path.parent == self._folder and is_learned(path)

    def write(
        self, device: str, control: str, lines: Sequence[Mapping[str, object]], kept: Sequence[Binding] = ()
    ) -> FileEdit:
        """Let a control play `lines` and what it played before, as far as it is `kept`. Raises FileError."""
        return self._edit(device, control, [*(line_of(binding) for binding in kept), *lines])

    def silence(self, device: str, control: str) -> FileEdit:
        """Let a control play nothing, whatever other files say. Raises FileError."""
        return self._edit(device, control, [])

    def take_back(self, edit: FileEdit) -> None:
        """Restore the text before an edit. Raises FileError for a file that was changed by hand since."""
        if not edit.path.exists() or read_text(edit.path) != edit.after:
            raise FileError(edit.path, "was changed since by another hand; it is left as it is")
        if edit.before is None:
            edit.path.unlink()
        else:
            self._store(edit.path, edit.before)

    def _edit(self, device: str, control: str, lines: Sequence[Mapping[str, object]]) -> FileEdit:
        path = self._folder / f"{PREFIX}{re.sub(r'[^a-z0-9]+', '_', device.lower()).strip('_') or 'any'}.toml"
        before = read_text(path) if path.exists() else None
        try:
            document = tomlkit.parse(before) if before is not None else _new_file(device)
        except TOMLKitError as error:
            raise FileError(path, f"is not TOML: {error}") from None
        controls = document.setdefault("controls", tomlkit.table())
        if not isinstance(controls, dict):
            raise FileError(path, "controls must be a table; mend or delete the file")
        shown = [_inline(line) for line in lines]
        controls[control] = shown[0] if len(shown) == 1 else _array(shown)
        after = tomlkit.dumps(document)
        self._store(path, after)
        return FileEdit(path, before, after)

    def _store(self, path: Path, text: str) -> None:
        """Write beside the file, then swap: a crash leaves the old one or the new one."""
        beside = path.with_suffix(".toml.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            raise FileError(path, f"cannot be written ({error.strerror})") from None


def is_learned(path: Path) -> bool:
    """Whether a mapping file has the name that learning gives."""
    return path.name.startswith(PREFIX)


def line_of(binding: Binding) -> dict[str, object]:
    """Write a binding as a mapping line again; what it leaves out is what it would get."""
    parameter, travel = binding.parameter, binding.travel
    line: dict[str, object] = {"command" if binding.is_command else "parameter": parameter.address}
    if binding.value is not None:
        line["value"] = binding.value
    if parameter.kind in RANGED_KINDS:
        if travel.minimum != parameter.minimum:
            line["low"] = travel.minimum
        if travel.maximum != parameter.maximum:
            line["high"] = travel.maximum
        if travel.curve != parameter.curve:
            line["curve"] = travel.curve
    rest = {"mode": "toggle", "takeover": "pickup", "relative": None, "step": None}
    written = {"mode": binding.mode, "takeover": binding.takeover, "relative": binding.relative, "step": binding.step}
    line |= {word: value for word, value in written.items() if value != rest[word]}
    return line | ({"invert": True} if binding.is_inverted else {})


def _new_file(device: str) -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by the map mode; yours to edit. mappings/README.md explains the lines."))
    document["name"] = f"Learned for {device}"
    document["device"] = device
    document["overlay"] = True
    document["controls"] = tomlkit.table()
    return document


def _inline(line: Mapping[str, object]) -> Any:
    table = tomlkit.inline_table()
    table.update(line)
    return table


def _array(lines: Sequence[Any]) -> Any:
    array = tomlkit.array()
    for line in lines:
        array.append(line)
    return array
