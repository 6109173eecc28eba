"""Mapping files: which control moves which parameter and which light shows it, read from TOML.

Every problem is told with file, key and a suggestion; what is valid is loaded. Knows nothing of ports or stores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from engine.parameter import Parameter, Value
from engine.preset_table import did_you_mean
from vj.controllers.bindings import (
    ANY_DEVICE,
    RANGED_KINDS,
    Binding,
    ControllerMapping,
    Encoding,
    Mode,
    Takeover,
)
from vj.controllers.events import CONTINUOUS, check_control
from vj.controllers.light_lines import read_feedback
from vj.parameters import PARAMETERS, TRIGGERS
from vj.written_files import FileError, Problem, read_toml, show_value

CURVES = ("linear", "square", "log")
_FILE_KEYS = ("name", "description", "device", "overlay", "controls", "feedback")
_WORDS = {"curve": CURVES, "mode": get_args(Mode), "takeover": get_args(Takeover), "relative": get_args(Encoding)}
_NUMBERS = ("low", "high")
_BINDING_KEYS = ("parameter", "command", "value", *_NUMBERS, *_WORDS, "invert", "step")
_JUMPING_KIND = "osc"  # a sender elsewhere means the value it sends; it has no knob that lags behind


def load_mappings(paths: Iterable[Path]) -> tuple[tuple[ControllerMapping, ...], tuple[Problem, ...]]:
    """Read several files; one that cannot be read is a problem, not an error."""
    mappings: list[ControllerMapping] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            mapping, found = load_mapping(path)
        except FileError as error:
            problems.append(Problem(path, "file", str(error).removeprefix(f"{path}: ")))
            continue
        mappings.append(mapping)
        problems += found
    return tuple(mappings), tuple(problems)


def load_mapping(path: Path) -> tuple[ControllerMapping, tuple[Problem, ...]]:
    """Read one file. Raises FileError when nothing in it can be read."""
    return _Reader(path).read(read_toml(path))


class _Reader:
    """Collects the problems of one file while it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[Problem] = []

    def read(self, file: Mapping[str, Any]) -> tuple[ControllerMapping, tuple[Problem, ...]]:
        for key in file:
            if key not in _FILE_KEYS:
                self._report(key, f"unknown key{did_you_mean(key, _FILE_KEYS)}")
        controls = file.get("controls", {})
        if not isinstance(controls, dict):
            self._report("controls", f"must be a table of controls, not {show_value(controls)}")
            controls = {}
        bindings = self._controls(controls)
        mapping = ControllerMapping(
            self._path,
            self._devices(file.get("device")),
            bindings,
            self._flag("overlay", file.get("overlay", False)),
            read_feedback(file.get("feedback", {}), bindings, self._report),
            str(file.get("name", self._path.stem)),
        )
        return mapping, tuple(self._problems)

    def _devices(self, device: object) -> tuple[str, ...]:
        names = device if isinstance(device, list) else [device]
        if device is None:
            self._report("device", 'is missing: write part of the port\'s name, or "*" for any; "*" is taken')
            return (ANY_DEVICE,)
        if not names or not all(isinstance(name, str) and name.strip() for name in names):
            self._report("device", f'must be a name or a list of names, not {show_value(device)}; "*" is taken')
            return (ANY_DEVICE,)
        return tuple(name.strip() for name in names)

    def _controls(self, controls: Mapping[str, Any]) -> dict[str, tuple[Binding, ...]]:
        found: dict[str, tuple[Binding, ...]] = {}
        for name, lines in controls.items():
            try:
                control = check_control(name)
            except ValueError as error:
                self._report(f"controls.{name}", str(error))
                continue
            if control in found:
                self._report(f"controls.{name}", f"{control} stands in the file twice; the first one holds")
                continue
            listed = lines if isinstance(lines, list) else [lines]
            bindings = [self._binding(name, control, line) for line in listed]
            kept = tuple(binding for binding in bindings if binding is not None)
            if kept or not listed:  # an empty list: this control plays nothing, whatever another file says
                found[control] = kept
        return found

    def _binding(self, name: str, control: str, line: object) -> Binding | None:
        key = f"controls.{name}"
        if not isinstance(line, dict):
            self._report(key, f'must look like {{ parameter = "/vj/..." }}, not {show_value(line)}')
            return None
        for word in line:
            if word not in _BINDING_KEYS:
                self._report(f"{key}.{word}", f"unknown key{did_you_mean(word, _BINDING_KEYS)}")
        parameter = self._target(key, line)
        if parameter is None:
            return None
        value = None
        if "value" in line:
            value = self._fixed_value(f"{key}.value", parameter, line["value"])
            if value is None:
                return None
        elif parameter.kind == "text":
            self._report(key, 'a text needs value = "..."')
            return None
        words = {word: self._word(f"{key}.{word}", line[word], known) for word, known in _WORDS.items() if word in line}
        kind = control.partition("/")[0]
        if words.get("relative") and kind not in CONTINUOUS:
            self._report(f"{key}.relative", f"means nothing for a {kind}, which is pressed")
        return Binding(
            parameter,
            self._travel(key, parameter, line, words.get("curve")),
            words.get("mode") or _WORDS["mode"][0],
            words.get("takeover") or ("jump" if kind == _JUMPING_KIND else _WORDS["takeover"][0]),
            value,
            words.get("relative") if kind in CONTINUOUS else None,
            self._flag(f"{key}.invert", line.get("invert", False)),
            self._step(f"{key}.step", line.get("step")),
        )

    def _flag(self, key: str, value: object) -> bool:
        if isinstance(value, bool):
            return value
        self._report(key, f"must be true or false, not {show_value(value)}; false is taken")
        return False

    def _step(self, key: str, value: object) -> float | None:
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0.0 < value <= 1.0:
            return float(value)
        self._report(key, f"is a share of the travel above 0 and up to 1, not {show_value(value)}; it is left out")
        return None

    def _target(self, key: str, line: Mapping[str, object]) -> Parameter | None:
        if ("parameter" in line) == ("command" in line):
            self._report(key, 'needs either parameter = "/vj/..." or command = "/vj/..."')
            return None
        word = "parameter" if "parameter" in line else "command"
        table, other = (PARAMETERS, TRIGGERS) if word == "parameter" else (TRIGGERS, PARAMETERS)
        address = str(line[word])
        if address in table:
            return table[address]
        if address in other:
            right = "command" if word == "parameter" else "parameter"
            self._report(f"{key}.{word}", f"{address!r} is a {right}: write {right} = {address!r}")
        else:
            self._report(f"{key}.{word}", f"unknown address {address!r}{did_you_mean(address, table)}")
        return None

    def _word(self, key: str, word: object, known: tuple[str, ...]) -> str | None:
        if word in known:
            return word
        near = did_you_mean(word, known) if isinstance(word, str) else ""
        self._report(key, f"{show_value(word)} is not one of {', '.join(known)}{near}; it is left out")
        return None

    def _fixed_value(self, key: str, parameter: Parameter, value: object) -> Value | None:
        try:
            held = parameter.coerce(value)
        except ValueError as error:
            self._report(key, str(error))
            return None
        if parameter.kind in RANGED_KINDS and held != value:
            self._report(key, _outside(parameter, value, held))
        return held

    def _travel(self, key: str, parameter: Parameter, line: Mapping[str, object], curve: str | None) -> Parameter:
        if parameter.kind not in RANGED_KINDS:
            for word in (*_NUMBERS, "curve"):
                if word in line:
                    self._report(f"{key}.{word}", f"means nothing for {parameter.address}, a {parameter.kind}")
            return parameter
        ends = {"low": parameter.minimum, "high": parameter.maximum}
        for word in _NUMBERS:
            if word in line:
                held = self._fixed_value(f"{key}.{word}", parameter, line[word])
                ends[word] = ends[word] if held is None else held
        return dataclasses.replace(parameter, minimum=ends["low"], maximum=ends["high"], curve=curve or parameter.curve)

    def _report(self, key: str, sentence: str) -> None:
        self._problems.append(Problem(self._path, key, sentence))


def _outside(parameter: Parameter, value: object, held: Value) -> str:
    allowed = f"{parameter.minimum:g} to {parameter.maximum:g}"
    return f"{value!r} is outside {allowed} of {parameter.address}; {held!r} is taken"
