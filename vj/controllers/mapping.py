"""Mapping files: which control moves which parameter, as data.

Every problem is told with file, key and a suggestion; what is valid is loaded. Knows nothing of ports or stores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.parameter import Parameter, Value
from engine.preset_table import did_you_mean
from vj.controllers.events import check_control
from vj.parameters import PARAMETERS, TRIGGERS
from vj.written_files import FileError, Problem, read_toml, show_value

ANY_DEVICE = "*"
CURVES = ("linear", "square", "log")
MODES = ("toggle", "momentary")
TAKEOVERS = ("jump", "pickup")
_FILE_KEYS = ("name", "description", "device", "controls")
_WORDS = {"curve": CURVES, "mode": MODES, "takeover": TAKEOVERS}
_NUMBERS = ("low", "high")
_BINDING_KEYS = ("parameter", "command", "value", *_NUMBERS, *_WORDS)
_RANGED_KINDS = ("float", "int")


@dataclass(frozen=True)
class Binding:
    """What one control does to one parameter. Holds no state."""

    parameter: Parameter
    travel: Parameter  # the parameter over the part of its range the control travels; minimum may exceed maximum
    mode: Literal["toggle", "momentary"] = "toggle"
    takeover: Literal["jump", "pickup"] = "jump"
    value: Value | None = None  # what a press sets; None = the control's own position

    @property
    def is_command(self) -> bool:
        """Whether a press sends a command instead of setting a value."""
        return self.parameter.kind == "trigger"

    def value_at(self, position: float) -> Value:
        """Return the value in native units that a control at `position` 0..1 asks for."""
        if self.parameter.kind in _RANGED_KINDS:
            return self.parameter.coerce(self.travel.from_normalised(position))
        if self.parameter.kind == "choice":
            choices = self.parameter.choices
            return choices[min(len(choices) - 1, int(position * len(choices)))]
        return self.parameter.coerce(position)


@dataclass(frozen=True)
class ControllerMapping:
    """The bindings of one file."""

    path: Path
    devices: tuple[str, ...]  # parts of port names, or "*"
    controls: Mapping[str, tuple[Binding, ...]]

    @property
    def is_for_any_device(self) -> bool:
        """Whether the file takes whatever no other file names."""
        return ANY_DEVICE in self.devices

    def names(self, device: str) -> bool:
        """Whether the file names this port, upper and lower case alike."""
        return any(part != ANY_DEVICE and part.lower() in device.lower() for part in self.devices)


def mappings_for(device: str, mappings: Iterable[ControllerMapping]) -> tuple[ControllerMapping, ...]:
    """Choose what a port plays: the files that name it, else the files for any device."""
    known = tuple(mappings)
    named = tuple(mapping for mapping in known if mapping.names(device))
    return named or tuple(mapping for mapping in known if mapping.is_for_any_device)


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
        mapping = ControllerMapping(self._path, self._devices(file.get("device")), self._controls(controls))
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
            bindings = [self._binding(name, line) for line in (lines if isinstance(lines, list) else [lines])]
            if kept := tuple(binding for binding in bindings if binding is not None):
                found[control] = kept
        return found

    def _binding(self, name: str, line: object) -> Binding | None:
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
        return Binding(
            parameter,
            self._travel(key, parameter, line, words.get("curve")),
            words.get("mode") or MODES[0],
            words.get("takeover") or TAKEOVERS[0],
            value,
        )

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
        self._report(key, f"{show_value(word)} is not one of {', '.join(known)}; {known[0]} is taken")
        return None

    def _fixed_value(self, key: str, parameter: Parameter, value: object) -> Value | None:
        try:
            held = parameter.coerce(value)
        except ValueError as error:
            self._report(key, str(error))
            return None
        if parameter.kind in _RANGED_KINDS and held != value:
            self._report(key, _outside(parameter, value, held))
        return held

    def _travel(self, key: str, parameter: Parameter, line: Mapping[str, object], curve: str | None) -> Parameter:
        if parameter.kind not in _RANGED_KINDS:
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
