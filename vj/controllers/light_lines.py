"""The [feedback] part of a mapping file: its lines become lights. Every problem is reported with its key.

Knows nothing of files, ports or stores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.parameter import Parameter, Value
from engine.preset_table import did_you_mean
from vj.controllers.bindings import RANGED_KINDS, Binding
from vj.controllers.events import check_control
from vj.controllers.lights import BEAT, NO_FEEDBACK, Feedback, Level, Light, message_bytes, sysex_bytes
from vj.parameters import ALL_PARAMETERS
from vj.written_files import show_value

Report = Callable[[str, str], None]  # key, sentence
_LEVELS = {"on": (127,), "dim": (0,), "off": (0,)}
_FEEDBACK_KEYS = ("start", "end", *_LEVELS, "lights")
_LIGHT_KEYS = ("shows", "value", "ready", "style", *_LEVELS)
_STYLES = ("light", "ring")
_OUTPUTS = ("note", "cc", "sysex")


def read_feedback(table: object, controls: Mapping[str, tuple[Binding, ...]], report: Report) -> Feedback:
    """Read the table; what is wrong in it is reported and left out.

    A light that does not say what it shows takes that from the control of its own name in `controls`.
    """
    if not isinstance(table, dict):
        report("feedback", f"must be a table, not {show_value(table)}")
        return NO_FEEDBACK
    for key in table:
        if key not in _FEEDBACK_KEYS:
            report(f"feedback.{key}", f"unknown key{did_you_mean(key, _FEEDBACK_KEYS)}")
    levels = {name: _level(f"feedback.{name}", table.get(name), rest, report) for name, rest in _LEVELS.items()}
    lines = table.get("lights", {})
    if not isinstance(lines, dict):
        report("feedback.lights", f"must be a table of lights, not {show_value(lines)}")
        lines = {}
    reader = _LightReader(controls, levels, report)
    lights = [reader.read(name, line) for name, line in lines.items()]
    return Feedback(
        _messages("feedback.start", table.get("start", []), report),
        _messages("feedback.end", table.get("end", []), report),
        tuple(light for light in lights if light is not None),
    )


class _LightReader:
    """Reads the lines of one file's lights."""

    def __init__(
        self, controls: Mapping[str, tuple[Binding, ...]], levels: Mapping[str, Level], report: Report
    ) -> None:
        self._controls = controls
        self._levels = levels
        self._report = report

    def read(self, name: str, line: object) -> Light | None:
        key = f"feedback.lights.{name}"
        if not isinstance(line, dict):
            self._report(key, f'must look like {{ shows = "/vj/..." }}, not {show_value(line)}')
            return None
        for word in line:
            if word not in _LIGHT_KEYS:
                self._report(f"{key}.{word}", f"unknown key{did_you_mean(word, _LIGHT_KEYS)}")
        output = self._output(key, name)
        if output is None:
            return None
        levels = {
            word: _level(f"{key}.{word}", line.get(word), rest, self._report) for word, rest in self._levels.items()
        }
        width = len(levels["on"])
        levels = {word: level * width if len(level) == 1 else level for word, level in levels.items()}
        if any(len(level) != width for level in levels.values()):
            self._report(key, f"its levels are of different lengths; on has {width}")
            return None
        if "shows" in line and line["shows"] == BEAT:
            return Light(output, None, **levels)
        shown = self._shown(key, output, line)
        if shown is None:
            return None
        parameter, value = shown
        ready = self._address(f"{key}.ready", line["ready"]) if "ready" in line else None
        return Light(output, parameter, value, ready, self._style(f"{key}.style", parameter, line), **levels)

    def _output(self, key: str, name: str) -> str | None:
        kind = name.partition("/")[0]
        try:
            if kind == "sysex":
                sysex_bytes(name.partition("/")[2], (0,))
                return name
            if kind not in _OUTPUTS:
                raise ValueError(f"{name!r} is no light; write note/<channel>/<number>, cc/... or sysex/F0 .. F7")
            return check_control(name)
        except ValueError as error:
            self._report(key, str(error))
            return None

    def _shown(self, key: str, output: str, line: Mapping[str, Any]) -> tuple[Parameter, Value | None] | None:
        if "shows" not in line:
            if not self._controls.get(output):
                self._report(key, f'no control of this file is {output}: write shows = "/vj/..." or shows = "{BEAT}"')
                return None
            first = self._controls[output][0]
            return first.parameter, first.value
        parameter = self._address(f"{key}.shows", line["shows"])
        if parameter is None or "value" not in line:
            return None if parameter is None else (parameter, None)
        try:
            return parameter, parameter.coerce(line["value"])
        except ValueError as error:
            self._report(f"{key}.value", str(error))
            return None

    def _address(self, key: str, address: object) -> Parameter | None:
        if address in ALL_PARAMETERS:
            return ALL_PARAMETERS[address]
        self._report(key, f"unknown address {show_value(address)}{did_you_mean(str(address), [*ALL_PARAMETERS, BEAT])}")
        return None

    def _style(self, key: str, parameter: Parameter, line: Mapping[str, Any]) -> str:
        style = line.get("style", _STYLES[0])
        if style not in _STYLES:
            self._report(key, f"{show_value(style)} is not one of {', '.join(_STYLES)}; {_STYLES[0]} is taken")
            return _STYLES[0]
        if style == "ring" and parameter.kind not in RANGED_KINDS:
            self._report(key, f"{parameter.address} is a {parameter.kind} and has no position; light is taken")
            return _STYLES[0]
        return style


def _level(key: str, level: object, rest: Level, report: Report) -> Level:
    if level is None:
        return rest
    bytes_ = level if isinstance(level, list) else [level]
    if bytes_ and all(isinstance(byte, int) and not isinstance(byte, bool) and 0 <= byte <= 127 for byte in bytes_):
        return tuple(bytes_)
    report(key, f"must be a number 0 to 127 or a list of such, not {show_value(level)}; {rest[0]} is taken")
    return rest


def _messages(key: str, lines: object, report: Report) -> tuple[bytes, ...]:
    if not isinstance(lines, list):
        report(key, f'must be a list of messages in hex, like ["F0 00 F7"], not {show_value(lines)}')
        return ()
    found: list[bytes] = []
    for line in lines:
        try:
            found.append(message_bytes(str(line)))
        except ValueError as error:
            report(key, str(error))
    return tuple(found)
