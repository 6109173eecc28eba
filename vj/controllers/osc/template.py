"""A template: what another program is told in its own words, and which of its words move us.

The lines are data (see template_files.py); a voice plays them. Knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from engine.parameter import Parameter, Value
from vj.controllers.osc.addresses import OscTarget
from vj.controllers.osc.packet import encode_message

Form = Literal["position", "value", "press", "text"]
FORMS: tuple[Form, ...] = ("position", "value", "press", "text")
NUMBER_TYPES = ("float", "int")
PRESS_NS = 50_000_000  # from press to release: shorter ones are overlooked by programs that look once a frame


@dataclass(frozen=True)
class SendLine:
    """One thing of ours and where it goes."""

    parameter: Parameter  # a parameter, a trigger or a state of ours
    to: str
    form: Form
    low: float = 0.0  # what position 0 is sent as
    high: float = 1.0
    number_type: Literal["float", "int"] = "float"
    when: Value | None = None  # of a press: only when the value becomes this


@dataclass(frozen=True)
class Alias:
    """What another program's address means here, and in whose words that was said."""

    target: OscTarget
    template: str  # its name


@dataclass(frozen=True)
class Template:
    """One program."""

    name: str
    host: str
    port: int
    is_everything_told: bool  # at our own addresses, besides the lines
    sends: tuple[SendLine, ...]
    receives: Mapping[str, Alias]  # its addresses that move ours


class TemplateVoice:
    """Says a template's lines when their values change. Belongs to one thread."""

    def __init__(self, template: Template, source: str) -> None:
        """`source` is what the instrument calls a mover that speaks through this template."""
        self.source = source
        self._lines = template.sends
        self._last: dict[SendLine, Value] = {}
        self._releases: list[tuple[int, SendLine]] = []  # when, in order

    def messages(
        self, told: Mapping[str, Value], now_ns: int, is_moving: Callable[[str, str, int], bool]
    ) -> list[bytes]:
        """Return what is to be said now. `is_moving(address, source, now_ns)` holds back what would be an echo."""
        messages = [_press(line, 0) for due_ns, line in self._releases if due_ns <= now_ns]
        self._releases = [(due_ns, line) for due_ns, line in self._releases if due_ns > now_ns]
        for line in self._lines:
            value = told.get(line.parameter.address)
            before = self._last.get(line)
            if value is None or value == before or is_moving(line.parameter.address, self.source, now_ns):
                continue
            self._last[line] = value
            if line.form != "press":
                messages.append(encode_message(line.to, _argument(line, value)))
            elif _is_press(line, value, before):
                messages.append(_press(line, 1))
                self._releases.append((now_ns + PRESS_NS, line))
        return messages


def _argument(line: SendLine, value: Value) -> float | int | str:
    if line.form == "text":
        return str(value)
    if line.form == "position":
        number = line.low + _position(line.parameter, value) * (line.high - line.low)
    else:
        number = _native(line.parameter, value)
    return round(number) if line.number_type == "int" else number


def _native(parameter: Parameter, value: Value) -> float:
    return float(parameter.choices.index(value)) if parameter.kind == "choice" else float(value)


def _position(parameter: Parameter, value: Value) -> float:
    """Where a value stands in its parameter's range, 0..1."""
    if parameter.kind in ("float", "int"):
        return parameter.to_normalised(float(value))
    return _native(parameter, value) / max(1, len(parameter.choices) - 1)


def _press(line: SendLine, pressed: int) -> bytes:
    return encode_message(line.to, pressed if line.number_type == "int" else float(pressed))


def _is_press(line: SendLine, value: Value, before: Value | None) -> bool:
    """Whether a change presses: to the value asked for, or, without one, upwards through the middle or to any text.

    What a value is when it is first seen presses nothing.
    """
    if before is None:
        return False
    if line.when is not None:
        return value == line.when
    if isinstance(value, str):
        return bool(value)
    if line.parameter.kind in ("trigger", "switch") or line.parameter.maximum == 1.0:
        return float(value) >= 0.5 > float(before)
    return True
