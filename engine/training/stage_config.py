"""The file of a stage: its own settings at the top, `[trainer]`, `[optimisers.PART]`. Refused before any compute.

Knows nothing of what a setting does; dataclasses say what there is and what is possible.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.training.config import SettingsError
from engine.training.stage import Job, Stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings

TABLES = ("trainer", "optimisers")


@dataclass(frozen=True)
class StageConfig:
    """Everything a stage is run with. A Job uses `settings` alone."""

    settings: Any
    trainer: TrainerSettings = TrainerSettings()
    optimisers: Mapping[str, OptimiserSettings] = dataclasses.field(default_factory=dict)

    def as_table(self) -> dict[str, Any]:
        """All values, defaults too, as plain data."""
        optimisers = {name: dataclasses.asdict(value) for name, value in self.optimisers.items()}
        tables = {"trainer": dataclasses.asdict(self.trainer), "optimisers": optimisers}
        return dataclasses.asdict(self.settings) | tables


def read_table(path: Path, overrides: tuple[str, ...] = ()) -> dict[str, Any]:
    """A TOML file with `KEY=VALUE` put over it, tables as `trainer.steps=10`. Raises SettingsError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SettingsError(f"{path}: cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsError(f"{path}: is not TOML: {fault}") from fault
    for override in overrides:
        _put(table, override)
    return table


def _put(table: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    *tables, name = key.strip().split(".")
    if not separator or not name:
        raise SettingsError(f"--set {override}: must be KEY=VALUE, for example trainer.steps=10")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a word without quotation marks
    for part in tables:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise SettingsError(f"--set {override}: {part} is a setting, not a table")
    table[name] = value


def make_config(name: str, stage: Stage | Job, table: Mapping[str, Any], where: str) -> StageConfig:
    """Settings of a stage from a table. Raises SettingsError with place, key, value and a suggestion."""
    own = {key: value for key, value in table.items() if isinstance(stage, Job) or key not in TABLES}
    settings = _filled(stage.settings(), own, f"{where}: ", f"stage {name}")
    if isinstance(stage, Job):
        return StageConfig(settings)
    trainer = _filled(stage.trainer, _table(table, "trainer", where), f"{where}: [trainer] ", "[trainer]")
    if trainer.recompute and not stage.may_recompute:
        raise SettingsError(
            f"{where}: [trainer] recompute = true: stage {name} writes a cache, which cannot be made anew"
        )
    tables = _table(table, "optimisers", where)
    for part in tables:
        if part not in stage.optimisers:
            raise SettingsError(f"{where}: [optimisers.{part}]: {_no_such(part, stage.optimisers, f'stage {name}')}")
    optimisers = {
        part: _filled(default, tables.get(part, {}), f"{where}: [optimisers.{part}] ", f"[optimisers.{part}]")
        for part, default in stage.optimisers.items()
    }
    return StageConfig(settings, trainer, optimisers)


def _table(table: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    value = table.get(name, {})
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: {name} = {value!r}: must be a table, written [{name}]")
    return value


def _filled(defaults: Any, table: object, where: str, owner: str) -> Any:
    """`defaults` with the table's values in place of its own."""
    if not isinstance(table, Mapping):
        raise SettingsError(f"{where}{table!r} must be a table")
    known = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(defaults)}
    values: dict[str, object] = {}
    for key, value in table.items():
        if key not in known:
            raise SettingsError(f"{where}{key}: {_no_such(key, known, owner)}")
        values[key] = _coerced(value, known[key], f"{where}{key}")
    try:
        return dataclasses.replace(defaults, **values)
    except ValueError as fault:
        raise SettingsError(f"{where}{fault}") from fault


def _no_such(key: str, known: Mapping[str, object], owner: str) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"{owner} has no such setting; {hint}"


def _coerced(value: object, default: object, where: str) -> object:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(default, tuple) and isinstance(value, list):
        value = tuple(value)
    if type(value) is not type(default):
        raise SettingsError(f"{where} = {value!r} is no {type(default).__name__}, as {default!r} is")
    is_signed = isinstance(default, int | float) and default < 0
    if isinstance(value, int | float) and value < 0 and not is_signed:
        raise SettingsError(f"{where} = {value}: must not be negative")
    return value
