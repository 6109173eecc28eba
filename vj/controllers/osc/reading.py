"""What the arguments of an OSC message ask of a parameter: values, relative steps, queries, presses.

Liberal: whatever has a sensible reading is read, and what is out of range is clamped. Knows nothing of sockets.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from engine.parameter import Value
from vj.controllers.osc.addresses import OscTarget
from vj.controllers.osc.packet import Argument

QUERY = "?"
ABSOLUTE = "a"
STEPS = ("+", "-", "*")  # argument words of relative moves, as Resolume knows them
TEXT_CHARACTERS = 4096  # of any text; no prompt needs more
RELEASES = ("", "0", "off", "false", "no")


def is_query(arguments: Sequence[Argument]) -> bool:
    """Whether a message asks for the value instead of setting it."""
    return len(arguments) == 1 and arguments[0] == QUERY


def is_press(arguments: Sequence[Argument]) -> bool:
    """Whether a message at a trigger presses it: no argument, or any but zero and off. NaN is none."""
    if not arguments:
        return True
    first = arguments[0]
    if isinstance(first, str):
        return first.strip().lower() not in (*RELEASES, QUERY)
    if isinstance(first, float):
        return first == first and first >= 0.5
    return first is None or bool(first)


def read_value(target: OscTarget, arguments: Sequence[Argument], held: Value) -> Value:
    """Return what a parameter that holds `held` is asked to hold, in native units.

    Raises ValueError with a sentence when the arguments have no sensible reading.
    """
    if not arguments:
        raise ValueError(f"{target.address} came without a value")
    word = arguments[0]
    if len(arguments) > 1 and word == ABSOLUTE:
        return _absolute(target, arguments[1])
    if len(arguments) > 1 and word in STEPS and target.parameter.kind != "text":
        return _relative(target, word, arguments[1], held)
    return _absolute(target, word)


def position_of(target: OscTarget, held: Value) -> float:
    """Return a value as the number the target speaks: a fader position, native units, an index, 0 or 1."""
    parameter = target.parameter
    if target.is_position:
        return parameter.to_normalised(float(held))
    return float(parameter.choices.index(held)) if parameter.kind == "choice" else float(held)


def _absolute(target: OscTarget, argument: Argument) -> Value:
    parameter = target.parameter
    if parameter.kind == "text":
        if isinstance(argument, float):
            argument = f"{argument:g}"
        return parameter.coerce(str(argument)[:TEXT_CHARACTERS] if isinstance(argument, str | int) else argument)
    if parameter.kind == "choice" and isinstance(argument, str):
        return _choice(target, argument)
    if target.is_position:
        return _at_position(target, _number(target, argument))
    return parameter.coerce(argument)


def _relative(target: OscTarget, word: Argument, argument: Argument, held: Value) -> Value:
    step, before = _number(target, argument), position_of(target, held)
    after = before * step if word == "*" else before + (step if word == "+" else -step)
    return _at_position(target, after) if target.is_position else target.parameter.coerce(after)


def _choice(target: OscTarget, word: str) -> Value:
    """Take a choice by its name in any case, or by its number written as text."""
    parameter = target.parameter
    for choice in parameter.choices:
        if choice.lower() == word.strip().lower():
            return choice
    return parameter.coerce(float(word) if word.strip().isdigit() else word)


def _at_position(target: OscTarget, position: float) -> float:
    return target.parameter.from_normalised(position)


def _number(target: OscTarget, argument: Argument) -> float:
    unbounded = dataclasses.replace(target.parameter, kind="float", minimum=None, maximum=None)
    return float(unbounded.coerce(argument))
