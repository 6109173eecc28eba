"""The file of a show: what stands where, in one TOML people can read.

Knows nothing of folders or of what else travels with a show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from engine.parameter import Value
from engine.preset_table import did_you_mean
from vj.output.placing_params import MOST_OUTPUTS
from vj.parameters import PARAMETERS
from vj.presets.cue_list import CUTS, ListedCue
from vj.presets.looks import read_values
from vj.presets.params import CUES_MAX, LOOK_SLOTS
from vj.presets.recall import Duration
from vj.written_files import FileError, Problem, read_toml, show_value

FILE_NAME = "show.toml"
LONGEST_S = 86400.0  # of a fade or a wait
_FILE_KEYS = (
    *("name", "folder", "model", "display", "outputs", "timeline", "mappings", "look_slots", "cues", "loras", "values"),
)
_TIMELINE_KEYS = ("name", "position")
_LORA_KEYS = ("slot", "file", "sha256")
_CUE_KEYS = ("name", "look", "values", "fade_s", "fade_beats", "follow_s", "follow_beats", "cut", "note")


@dataclass(frozen=True)
class LoraUse:
    """A LoRA the show plays, known by its content: the same file may lie elsewhere on another machine."""

    slot: int
    file: str  # its name, without folders
    sha256: str = ""  # empty = it was not there when the show was saved


@dataclass(frozen=True)
class ShowState:
    """Where everything stands. Frozen; made and read by any thread."""

    name: str = ""
    folder: str = ""  # the show's folder; only an autosave names it
    model: str = ""
    outputs: Mapping[int, str] = field(default_factory=dict)  # name of the display each covers; empty = a window
    timeline: str = ""  # its file's name without suffix, or a path
    position: float = 0.0  # of the timeline, in its unit
    mappings: tuple[str, ...] = ()  # their files' names; empty = all there are
    slots: tuple[str, ...] | None = None  # a look's name per slot; None = as shipped
    cues: tuple[ListedCue, ...] = ()
    loras: tuple[LoraUse, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)  # all that is not at its default


def show_text(state: ShowState) -> str:
    """Spell a show as TOML."""
    file = tomlkit.document()
    for key, word in (("name", state.name), ("folder", state.folder), ("model", state.model)):
        if word:
            file.add(key, word)
    if state.outputs:
        file.add("outputs", {str(number): name for number, name in state.outputs.items()})
    if state.mappings:
        file.add("mappings", list(state.mappings))
    if state.timeline:
        file.add("timeline", {"name": state.timeline, "position": state.position})
    if state.slots is not None:
        file.add("look_slots", {str(n): name for n, name in enumerate(state.slots, start=1) if name})
    for key, lines in (("cues", map(_cue_table, state.cues)), ("loras", map(_lora_table, state.loras))):
        tables = tomlkit.aot()
        for line in lines:
            tables.append(line)
        if len(tables):
            file.add(key, tables)
    file.add("values", dict(state.values))
    return tomlkit.dumps(file)


def _cue_table(cue: ListedCue) -> tomlkit.items.Table:
    table = tomlkit.table()
    table.add("name", cue.name)
    for key, word in (("look", cue.look), ("cut", cue.cut), ("note", cue.note)):
        if word:
            table.add(key, word)
    for key, duration in (("fade", cue.fade), ("follow", cue.follow)):
        if duration is not None:
            table.add(f"{key}_beats" if duration.is_beats else f"{key}_s", duration.amount)
    if cue.values:
        table.add("values", dict(cue.values))
    return table


def _lora_table(lora: LoraUse) -> tomlkit.items.Table:
    table = tomlkit.table()
    table.update({"slot": lora.slot, "file": lora.file, "sha256": lora.sha256})
    return table


def read_show(path: Path) -> tuple[ShowState, tuple[Problem, ...]]:
    """Read a show's file; what is wrong in it is left out and told. Raises FileError when it is no TOML at all."""
    return _Reader(path).read(read_toml(path))


class _Reader:
    """Collects the problems of one file while it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[Problem] = []

    def read(self, file: Mapping[str, Any]) -> tuple[ShowState, tuple[Problem, ...]]:
        self._refuse_unknown("", file, _FILE_KEYS)
        if not file.keys() & set(_FILE_KEYS):
            raise FileError(self._path, "is no show: it has none of " + ", ".join(_FILE_KEYS))
        timeline = self._table("timeline", file.get("timeline", {}))
        self._refuse_unknown("timeline.", timeline, _TIMELINE_KEYS)
        values, found = read_values(self._path, "values", file.get("values", {}))
        self._problems += found
        state = ShowState(
            name=self._text("name", file.get("name", "")),
            folder=self._text("folder", file.get("folder", "")),
            model=self._text("model", file.get("model", "")),
            outputs=self._outputs(file),
            timeline=self._text("timeline.name", timeline.get("name", "")),
            position=self._number("timeline.position", timeline.get("position", 0.0)) or 0.0,
            mappings=tuple(self._text(key, name) for key, name in self._list("mappings", file.get("mappings", []))),
            slots=self._slots(file["look_slots"]) if "look_slots" in file else None,
            cues=tuple(self._cue(key, line) for key, line in self._tables("cues", file.get("cues", [])))[:CUES_MAX],
            loras=tuple(self._lora(key, line) for key, line in self._tables("loras", file.get("loras", []))),
            values=values,
        )
        return state, tuple(self._problems)

    def _outputs(self, file: Mapping[str, Any]) -> dict[int, str]:
        """Which display each output covers; shows of the time of one output say `display`."""
        outputs = {1: self._text("display", file["display"])} if "display" in file else {}
        for number, name in self._table("outputs", file.get("outputs", {})).items():
            if number in [str(n) for n in range(1, MOST_OUTPUTS + 1)]:
                outputs[int(number)] = self._text(f"outputs.{number}", name)
            else:
                self._report(f"outputs.{number}", f"is no output: they are 1 to {MOST_OUTPUTS}")
        return outputs

    def _slots(self, table: object) -> tuple[str, ...]:
        slots = [""] * LOOK_SLOTS
        for number, name in self._table("look_slots", table).items():
            if number in (known := [str(n) for n in range(1, LOOK_SLOTS + 1)]):
                slots[known.index(number)] = self._text(f"look_slots.{number}", name)
            else:
                self._report(f"look_slots.{number}", f"is no slot: they are 1 to {LOOK_SLOTS}")
        return tuple(slots)

    def _cue(self, key: str, line: Mapping[str, Any]) -> ListedCue:
        self._refuse_unknown(f"{key}.", line, _CUE_KEYS)
        values: dict[str, Value] = {}
        if "values" in line:
            values, found = read_values(self._path, f"{key}.values", line["values"])
            self._problems += found
        cut = line.get("cut", "")
        if cut not in ("", *CUTS):
            self._report(f"{key}.cut", f"{show_value(cut)} is not one of {', '.join(CUTS)}")
            cut = ""
        words = {word: self._text(f"{key}.{word}", line.get(word, "")) for word in ("name", "look", "note")}
        fade, follow = (self._duration(key, word, line) for word in ("fade", "follow"))
        return ListedCue(words["name"], words["look"], values, fade, follow, cut, words["note"])

    def _duration(self, key: str, word: str, line: Mapping[str, Any]) -> Duration | None:
        for unit, is_beats in (("s", False), ("beats", True)):
            name = f"{word}_{unit}"
            if name in line:
                amount = self._number(f"{key}.{name}", line[name])
                return None if amount is None else Duration(amount, is_beats)
        return None

    def _lora(self, key: str, line: Mapping[str, Any]) -> LoraUse:
        self._refuse_unknown(f"{key}.", line, _LORA_KEYS)
        slot = self._number(f"{key}.slot", line.get("slot"))
        file, digest = (self._text(f"{key}.{word}", line.get(word, "")) for word in ("file", "sha256"))
        return LoraUse(int(slot or 0), file, digest)

    def _list(self, key: str, value: object) -> list[tuple[str, Any]]:
        if not isinstance(value, list):
            self._report(key, f"must be a list, not {show_value(value)}")
            return []
        return [(f"{key}[{k}]", line) for k, line in enumerate(value, start=1)]

    def _tables(self, key: str, value: object) -> list[tuple[str, Mapping[str, Any]]]:
        lines = self._list(key, value)
        for place, line in lines:
            if not isinstance(line, dict):
                self._report(place, f"must be a table, not {show_value(line)}")
        return [(place, line) for place, line in lines if isinstance(line, dict)]

    def _table(self, key: str, value: object) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._report(key, f"must be a table, not {show_value(value)}")
        return {}

    def _text(self, key: str, value: object) -> str:
        if isinstance(value, str):
            return value
        self._report(key, f"must be a text, not {show_value(value)}")
        return ""

    def _number(self, key: str, value: object) -> float | None:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST_S:
            return float(value)
        self._report(key, f"must be a number of 0 to {LONGEST_S:g}, not {show_value(value)}")
        return None

    def _refuse_unknown(self, prefix: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self._report(f"{prefix}{key}", f"unknown key{did_you_mean(key, known)}")

    def _report(self, key: str, sentence: str) -> None:
        self._problems.append(Problem(self._path, key, sentence))


def moved_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is not at its default, out of a snapshot of the store."""
    return {address: value for address, value in values.items() if value != PARAMETERS[address].default}
