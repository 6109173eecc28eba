"""What a parameter is: address, range, unit, curve and clock, declared once as a dataclass field. Holds no values.

Imports no torch, so that the instrument, its mappings and its documentation derive from the same declarations.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.preset_table import did_you_mean

Kind = Literal["float", "int", "choice", "switch", "text", "trigger"]
Clock = Literal["chunk", "step", "frame"]
Value = float | int | bool | str


@dataclass(frozen=True)
class Parameter:
    """One thing a hand can move. Holds no value.

    `clock` says when a change is seen: at the next chunk, the next denoising step or the next display frame.
    A `trigger` has no value; it is a command. `text` values are commands to the engine and values for looks and panels.
    """

    address: str
    kind: Kind
    default: Value
    help: str
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    curve: Literal["linear", "square", "log"] = "linear"
    clock: Clock = "chunk"
    choices: tuple[str, ...] = ()

    def coerce(self, value: object) -> Value:
        """Turn any sensible value (native units) into this parameter's type, clamped to its range.

        Raises ValueError with a sentence when no sensible reading exists (NaN included).
        """
        return _COERCERS[self.kind](self, value)

    def from_normalised(self, position: float) -> float:
        """Map a fader position 0..1 to native units through the curve. Only for kind `float`."""
        shaped = _shape(min(1.0, max(0.0, position)), self.curve)
        assert self.minimum is not None and self.maximum is not None, f"{self.address} has no range"
        return self.minimum + shaped * (self.maximum - self.minimum)

    def to_normalised(self, value: float) -> float:
        """Inverse of `from_normalised`."""
        assert self.minimum is not None and self.maximum is not None, f"{self.address} has no range"
        span = self.maximum - self.minimum
        return _unshape((min(self.maximum, max(self.minimum, value)) - self.minimum) / span, self.curve)


NAMED_CHOICES = 16  # more than these are not all named in a sentence
LOG_CURVE_BASE = 100.0  # a `log` fader spends its first half on the first tenth of the range


def _shape(position: float, curve: str) -> float:
    if curve == "square":
        return position * position
    if curve == "log":
        return (LOG_CURVE_BASE**position - 1.0) / (LOG_CURVE_BASE - 1.0)
    return position


def _unshape(shaped: float, curve: str) -> float:
    if curve == "square":
        return shaped**0.5
    if curve == "log":
        return math.log(shaped * (LOG_CURVE_BASE - 1.0) + 1.0, LOG_CURVE_BASE)
    return shaped


def _number(parameter: Parameter, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{parameter.address}: {value!r} is not a number") from None
    except OverflowError:  # files may hold whole numbers of any length
        raise ValueError(f"{parameter.address}: a whole number too long for any range") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"{parameter.address}: {value!r} is not a finite number")
    return number


def _clamp(parameter: Parameter, number: float) -> float:
    low = parameter.minimum if parameter.minimum is not None else number
    high = parameter.maximum if parameter.maximum is not None else number
    return min(high, max(low, number))


def _coerce_float(parameter: Parameter, value: object) -> float:
    return _clamp(parameter, _number(parameter, value))


def _coerce_int(parameter: Parameter, value: object) -> int:
    # an integer given as text or int keeps every digit: float32 and even float() would lose bits of a seed
    if isinstance(value, int) and not isinstance(value, bool):
        return int(_clamp(parameter, value))
    if isinstance(value, str) and value.strip().lstrip("+-").isdigit():
        return int(_clamp(parameter, int(value)))
    return int(_clamp(parameter, round(_number(parameter, value))))


_SWITCH_WORDS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def _coerce_switch(parameter: Parameter, value: object) -> bool:
    if isinstance(value, str) and value.strip().lower() in _SWITCH_WORDS:
        return _SWITCH_WORDS[value.strip().lower()]
    return _number(parameter, value) >= 0.5


def _coerce_choice(parameter: Parameter, value: object) -> str:
    if isinstance(value, str) and value in parameter.choices:
        return value
    if isinstance(value, str):
        is_short = len(parameter.choices) <= NAMED_CHOICES
        named = ", ".join(parameter.choices) if is_short else f"its {len(parameter.choices)} choices"
        hint = "" if is_short else did_you_mean(value, parameter.choices)
        raise ValueError(f"{parameter.address}: {value!r} is not one of {named}{hint}")
    index = round(_number(parameter, value))
    return parameter.choices[min(len(parameter.choices) - 1, max(0, index))]


def _coerce_text(parameter: Parameter, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{parameter.address}: {value!r} is not a text")
    return sound_text(value).strip()


def sound_text(text: str) -> str:
    """Put ? for what no UTF-8 can hold (halves of surrogate pairs, bytes a terminal could not decode)."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _coerce_trigger(parameter: Parameter, value: object) -> bool:
    """True when the value means "press" (anything but 0 and off)."""
    return True if value is None else _coerce_switch(parameter, value)


_COERCERS = {
    "float": _coerce_float,
    "int": _coerce_int,
    "switch": _coerce_switch,
    "choice": _coerce_choice,
    "text": _coerce_text,
    "trigger": _coerce_trigger,
}


def knob(parameter: Parameter, count: int = 0, rest: Value | None = None) -> dataclasses.Field:
    """Declare a dataclass field and its parameter in one line.

    With `count`, the address holds `{n}` and the field is a tuple of `count` values, n = 1..count; the first one's
    default is the parameter's, the others' is `rest`, or the kind's zero.
    """
    if not count:
        return dataclasses.field(default=parameter.default, metadata={"parameter": parameter, "count": 0})
    zero: Value = "" if parameter.kind == "text" else type(parameter.default)(0)
    default = (parameter.default, *[zero if rest is None else rest] * (count - 1))
    return dataclasses.field(default=default, metadata={"parameter": parameter, "count": count})


def _knobs(table: object) -> tuple[dataclasses.Field, ...]:
    """The fields of a dataclass that are parameters."""
    return tuple(field for field in dataclasses.fields(table) if "parameter" in field.metadata)


def parameters_of(table: type) -> tuple[Parameter, ...]:
    """List every parameter a dataclass of knobs declares, pads spelled out."""
    found: list[Parameter] = []
    for field in _knobs(table):
        parameter: Parameter = field.metadata["parameter"]
        if not field.metadata["count"]:
            found.append(parameter)
            continue
        for n, default in enumerate(field.default, start=1):
            address = parameter.address.format(n=n)
            found.append(
                dataclasses.replace(parameter, address=address, default=default, help=parameter.help.format(n=n))
            )
    return tuple(found)


def values_of(made: object) -> dict[str, Value]:
    """Every value of a dataclass of knobs by its address: the inverse of `values_from`."""
    values: dict[str, Value] = {}
    for field in _knobs(made):
        address, held = field.metadata["parameter"].address, getattr(made, field.name)
        if field.metadata["count"]:
            values |= {address.format(n=n): value for n, value in enumerate(held, start=1)}
        else:
            values[address] = held
    return values


def values_from(table: type, values: Mapping[str, Value]) -> dict[str, Value | tuple[Value, ...]]:
    """Collect a table's field values from a mapping of addresses; what is absent keeps its default."""
    collected: dict[str, Value | tuple[Value, ...]] = {}
    for field in _knobs(table):
        parameter: Parameter = field.metadata["parameter"]
        if field.metadata["count"]:
            collected[field.name] = tuple(
                values.get(parameter.address.format(n=n), default) for n, default in enumerate(field.default, start=1)
            )
        else:
            collected[field.name] = values.get(parameter.address, parameter.default)
    return collected
