"""Template files: TOML that says what another program is told and what of it is heard.

Every problem is told with file, line and a suggestion; what is valid is loaded. Knows nothing of sockets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.parameter import Parameter, Value
from engine.preset_table import did_you_mean
from vj.controllers.osc.addresses import TARGETS, OscTarget
from vj.controllers.osc.endpoint import LOOPBACK, PORTS
from vj.controllers.osc.state import STATE
from vj.controllers.osc.template import FORMS, NUMBER_TYPES, Alias, Form, SendLine, Template
from vj.parameters import ALL_PARAMETERS
from vj.written_files import FileError, Problem, read_toml, show_value

_FILE_KEYS = ("name", "description", "host", "port", "everything", "send", "receive")
SEND_KEYS = ("from", "to", "n", "as", "low", "high", "type", "when")
_RECEIVE_KEYS = ("from", "to", "n")
_ADDRESS = re.compile(r"/[^\s#*,?\[\]{}]+")
_LINES_MAX = 1000  # of one `n`; a file is no program


def load_template(path: Path) -> tuple[Template, tuple[Problem, ...]]:
    """Read one file. Raises FileError when nothing in it can be used."""
    return _Reader(path).read(read_toml(path))


@dataclass(frozen=True)
class _Words:
    """One written line with its number put in."""

    key: str
    source: str
    to: str


class _Reader:
    """Collects the problems of one file while it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[Problem] = []

    def read(self, file: Mapping[str, Any]) -> tuple[Template, tuple[Problem, ...]]:
        self._check_keys("", file, _FILE_KEYS)
        sends = tuple(line for k, table in self._tables(file, "send") for line in self._send_lines(k, table))
        targets = {a: target for k, table in self._tables(file, "receive") for a, target in self._aliases(k, table)}
        is_everything_told = self._typed("everything", file.get("everything", False), bool, False)
        if not (sends or targets or is_everything_told):
            raise FileError(self._path, f"says nothing ({self._problems[0]})" if self._problems else "says nothing")
        port = self._typed("port", file.get("port", 0), int, 0)
        if port not in PORTS[1:]:
            if sends or is_everything_told:
                self._report("port", f"must be the port the program listens at, 1 to 65535, not {show_value(port)}")
            sends, is_everything_told = (), False
        name = self._typed("name", file.get("name", self._path.stem), str, self._path.stem)
        receives = {address: Alias(target, name) for address, target in targets.items()}
        host = self._typed("host", file.get("host", LOOPBACK), str, LOOPBACK)
        return Template(name, host, port, is_everything_told, sends, receives), tuple(self._problems)

    def _tables(self, file: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
        lines = file.get(name, [])
        if not isinstance(lines, list):
            self._report(name, f"must be written [[{name}]], once for every line")
            return []
        found = []
        for number, table in enumerate(lines, start=1):
            if isinstance(table, dict):
                found.append((f"{name} {number}", table))
            else:
                self._report(f"{name} {number}", f"must be a table, not {show_value(table)}")
        return found

    def _send_lines(self, key: str, table: Mapping[str, Any]) -> list[SendLine]:
        self._check_keys(key, table, SEND_KEYS)
        found = []
        for words in self._spelled_out(key, table):
            parameter = STATE.get(words.source) or ALL_PARAMETERS.get(words.source)
            if parameter is None:
                near = did_you_mean(words.source, [*STATE, *ALL_PARAMETERS])
                self._report(f"{key}.from", f"unknown address {words.source!r}{near}")
            elif not _ADDRESS.fullmatch(words.to):
                self._report(f"{key}.to", f"{words.to!r} is no OSC address; write /something/here")
            elif (line := self._send_line(key, table, parameter, words.to)) is not None:
                found.append(line)
        return found

    def _send_line(self, key: str, table: Mapping[str, Any], parameter: Parameter, to: str) -> SendLine | None:
        form = self._word(f"{key}.as", table.get("as", _usual_form(parameter)), FORMS)
        if form is None:
            return None
        is_numeric = form in ("position", "value")
        if is_numeric and parameter.kind in ("text", "trigger"):
            usual = _usual_form(parameter)
            self._report(f"{key}.as", f"{parameter.address} is a {parameter.kind} and has no {form}; write {usual!r}")
            return None
        numbers = {end: self._typed(f"{key}.{end}", table[end], float, None) for end in ("low", "high") if end in table}
        for end in numbers:
            if form != "position":
                self._report(f"{key}.{end}", f'means nothing without as = "position"; {parameter.address} is as {form}')
        number_type = self._word(f"{key}.type", table.get("type", "int" if form == "press" else "float"), NUMBER_TYPES)
        when = self._when(f"{key}.when", table.get("when"), form, parameter)
        low, high = numbers.get("low"), numbers.get("high")
        return SendLine(
            parameter,
            to,
            form,
            0.0 if low is None else low,
            1.0 if high is None else high,
            number_type or "float",
            when,
        )

    def _when(self, key: str, value: object, form: Form, parameter: Parameter) -> Value | None:
        if value is None:
            return None
        if form != "press":
            self._report(key, 'means nothing without as = "press"')
            return None
        try:
            return parameter.coerce(value)
        except ValueError as error:
            self._report(key, str(error))
            return None

    def _aliases(self, key: str, table: Mapping[str, Any]) -> list[tuple[str, OscTarget]]:
        self._check_keys(key, table, _RECEIVE_KEYS)
        found = []
        for words in self._spelled_out(key, table):
            if words.to not in TARGETS:
                self._report(f"{key}.to", f"unknown address {words.to!r}{did_you_mean(words.to, TARGETS)}")
            elif not _ADDRESS.fullmatch(words.source):
                self._report(f"{key}.from", f"{words.source!r} is no OSC address; write /something/here")
            elif words.source in TARGETS:
                self._report(f"{key}.from", f"{words.source!r} is our own address and keeps its meaning")
            else:
                found.append((words.source, TARGETS[words.to]))
        return found

    def _spelled_out(self, key: str, table: Mapping[str, Any]) -> list[_Words]:
        """Put the numbers of `n` in for {n}; a line without {n} stands for itself."""
        source, to = (self._typed(f"{key}.{end}", table.get(end, ""), str, "") for end in ("from", "to"))
        if not source or not to:
            self._report(key, 'needs from = "/..." and to = "/..."')
            return []
        if "{n}" not in source + to:
            if "n" in table:
                self._report(f"{key}.n", "means nothing: neither from nor to has {n}")
            return [_Words(key, source, to)]
        numbers = table.get("n")
        is_pair = isinstance(numbers, list) and len(numbers) == 2 and all(type(number) is int for number in numbers)
        if not is_pair or not 0 <= numbers[1] - numbers[0] < _LINES_MAX:
            self._report(
                f"{key}.n", f"must be the first and the last number, such as [1, 4], not {show_value(numbers)}"
            )
            return []
        spelled = range(numbers[0], numbers[1] + 1)
        return [_Words(key, source.replace("{n}", str(n)), to.replace("{n}", str(n))) for n in spelled]

    def _typed(self, key: str, value: Any, kind: type, default: Any) -> Any:
        is_number = kind is float and isinstance(value, int | float) and not isinstance(value, bool)
        if is_number or type(value) is kind:
            return float(value) if is_number else value
        wanted = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[kind]
        self._report(key, f"must be {wanted}, not {show_value(value)}")
        return default

    def _word(self, key: str, word: Any, known: tuple[Any, ...]) -> Any:
        if word in known:
            return word
        near = did_you_mean(str(word), known)
        self._report(key, f"{show_value(word)} is not one of {', '.join(known)}{near}")
        return None

    def _check_keys(self, key: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for word in table:
            if word not in known:
                place = f"{key}.{word}" if key else word
                self._report(place, f"unknown key{did_you_mean(word, known)}")

    def _report(self, key: str, sentence: str) -> None:
        self._problems.append(Problem(self._path, key, sentence))


def _usual_form(parameter: Parameter) -> Form:
    if parameter.kind == "text":
        return "text"
    if parameter.kind == "trigger":
        return "press"
    return "position" if parameter.kind == "float" and parameter.address not in STATE else "value"
