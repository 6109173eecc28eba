"""Where a value stands on a fader from 0 to 1, for every kind of parameter that has an order, and back.

What moves by itself moves here: evenly along the curve a hand feels. Knows nothing of who moves.
"""

from __future__ import annotations

from engine.parameter import Parameter, Value


def position_of(parameter: Parameter, value: Value) -> float:
    """Return where on a fader from 0 to 1 a value stands; choices are spread evenly, a switch stands at its ends."""
    if parameter.kind == "float":
        return parameter.to_normalised(float(value))
    if parameter.kind == "int":
        return (int(value) - parameter.minimum) / (parameter.maximum - parameter.minimum)
    if parameter.kind == "choice":
        return parameter.choices.index(str(value)) / max(1, len(parameter.choices) - 1)
    return 1.0 if value else 0.0


def value_at(parameter: Parameter, position: float) -> Value:
    """Return the value at a fader position, clamped; a switch is on from the middle up."""
    held = min(1.0, max(0.0, position))
    if parameter.kind == "float":
        return min(parameter.maximum, max(parameter.minimum, parameter.from_normalised(held)))
    if parameter.kind == "int":
        return round(parameter.minimum + held * (parameter.maximum - parameter.minimum))
    if parameter.kind == "choice":
        return parameter.choices[round(held * (len(parameter.choices) - 1))]
    return held >= 0.5
