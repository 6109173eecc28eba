"""`vj train recipe`: the stages of one model in order, by one command that is given again until everything is done.

A recipe is a TOML file with a `[[line]]` per stage: `stage`, and where needed `config`, `name` and `set` as the
command line has them; `{out}` in `set` is the folder of the run. OUT/recipe.json notes what is done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.training.config import SettingsError
from engine.training.stage_config import read_table

NOTES = "recipe.json"
KEYS = {"stage", "config", "name", "set"}
RunLine = Callable[["Line", float], tuple[str, bool]]


@dataclass(frozen=True)
class Line:
    """One stage of a recipe."""

    stage: str
    config: str = ""  # a file of engine/training/configs, or anywhere; empty = the stage's own
    name: str = ""  # of its folder; empty = the stage's
    overrides: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Name it is noted under; unique in its recipe."""
        return self.name or self.stage


def read_recipe(path: Path, stages: tuple[str, ...], out: Path) -> tuple[Line, ...]:
    """Read a recipe for the folder `out`. Raises SettingsError with file, line, key and what is known."""
    table = read_table(path)
    rows = table.get("line")
    if set(table) != {"line"} or not isinstance(rows, list) or not rows:
        raise SettingsError(f"{path}: a recipe has a [[line]] for each stage and nothing else")
    lines = tuple(_line(row, f"{path}: line {number}", stages, out) for number, row in enumerate(rows, start=1))
    folders = [line.folder for line in lines]
    for folder in folders:
        if folders.count(folder) > 1:
            raise SettingsError(f"{path}: {folder} is there twice; give one of them another name")
    return lines


def _line(row: object, where: str, stages: tuple[str, ...], out: Path) -> Line:
    if not isinstance(row, dict) or not set(row) <= KEYS:
        raise SettingsError(f"{where}: {row!r}: known are {', '.join(sorted(KEYS))}")
    stage = row.get("stage")
    if stage not in stages:
        raise SettingsError(f"{where}: stage = {stage!r} is none of {', '.join(stages)}")
    overrides = row.get("set", [])
    if not isinstance(overrides, list) or not all(isinstance(one, str) for one in overrides):
        raise SettingsError(f'{where}: set = {overrides!r}: must be a list of "KEY=VALUE"')
    return Line(
        stage,
        str(row.get("config", "")),
        str(row.get("name", "")),
        tuple(one.replace("{out}", str(out)) for one in overrides),
    )


def follow(lines: tuple[Line, ...], folder: Path, minutes: float, run_line: RunLine) -> str:
    """Run what is not done yet, in order, for so many minutes (0 = to the end); return a sentence on how far it is.

    `run_line` takes a line and the minutes left (0 = no limit), and answers with a sentence and whether it is done.
    A line is begun only while minutes are left; one that is a job runs to its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notes = _read_notes(folder)
    began_s = time.monotonic()
    for number, line in enumerate(lines, start=1):
        if notes.get(line.folder, {}).get("done"):
            continue
        left = minutes - (time.monotonic() - began_s) / 60.0 if minutes else 0.0
        if minutes and left <= 0.0:
            return f"{number - 1} of {len(lines)} lines are done; next is {line.folder}: the same command goes on"
        line_began_s = time.monotonic()
        said, is_done = run_line(line, left)
        spent = notes.get(line.folder, {}).get("minutes", 0.0) + (time.monotonic() - line_began_s) / 60.0
        notes[line.folder] = {"done": is_done, "said": said, "minutes": round(spent, 2)}
        _write_notes(folder, notes)
        if not is_done:
            return f"{said} ({number - 1} of {len(lines)} lines are done)"
    return f"all {len(lines)} lines are done"


def _read_notes(folder: Path) -> dict[str, dict]:
    try:
        return json.loads((folder / NOTES).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as fault:
        raise SettingsError(f"{folder / NOTES}: is not JSON ({fault}); delete it to begin anew") from None


def _write_notes(folder: Path, notes: dict[str, dict]) -> None:
    partial = folder / f"{NOTES}.partial"
    partial.write_text(json.dumps(notes, indent=2) + "\n", "utf-8")
    partial.replace(folder / NOTES)
