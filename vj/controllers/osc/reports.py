"""How a value is told over OSC: one number per address, and every text on a branch of its own.

Programs that turn addresses into channels take numbers only; a text among them would be an error at 60 Hz.
"""

from __future__ import annotations

from engine.parameter import Parameter, Value
from vj.controllers.osc.packet import encode_message
from vj.controllers.osc.state import STATE

ROOT = "/vj"
TEXT_ROOT = "/vj/text"
FLOAT32_WHOLE = 2**24  # whole numbers above it lose digits as a float


def text_address(address: str) -> str:
    """Return where the text of an address is told: /vj/prompt/1/text -> /vj/text/prompt/1/text."""
    return TEXT_ROOT + address.removeprefix(ROOT)


def number_of(parameter: Parameter, value: Value) -> float | None:
    """Return a value as the one number told: a fader position, a whole number, an index, 0 or 1; None for a text.

    States are told in their own units: they have no faders.
    """
    if parameter.kind == "text":
        return None
    if parameter.kind == "choice":
        return float(parameter.choices.index(value)) if value in parameter.choices else -1.0
    if parameter.kind == "float" and parameter.address not in STATE:
        return parameter.to_normalised(float(value))
    return float(value)


def text_of(parameter: Parameter, value: Value) -> str | None:
    """Return what is told on the text branch: texts, names of choices, long whole numbers digit by digit."""
    if isinstance(value, str):
        return value
    if parameter.kind == "int" and parameter.maximum is not None and parameter.maximum > FLOAT32_WHOLE:
        return str(value)
    return None


def report(parameter: Parameter, value: Value) -> tuple[bytes, ...]:
    """Write the messages that tell a value: its number, its text, or both."""
    number, text = number_of(parameter, value), text_of(parameter, value)
    messages = [] if number is None else [encode_message(parameter.address, number)]
    if text is not None:
        messages.append(encode_message(text_address(parameter.address), text))
    return tuple(messages)
