"""The parameter table of the README, written from the one table there is."""

from __future__ import annotations

from engine.params import Parameter
from vj.parameters import ALL_PARAMETERS

_HEADER = ("address", "takes", "default", "seen at", "what it does")


def parameter_table() -> str:
    """Return a Markdown table with one row per parameter and command, in the order of the table, newline at the end."""
    rows = [_HEADER, ("---",) * len(_HEADER), *(_row(parameter) for parameter in ALL_PARAMETERS.values())]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def _row(parameter: Parameter) -> tuple[str, ...]:
    is_trigger = parameter.kind == "trigger"
    default = "" if is_trigger or parameter.default == "" else f"`{_default(parameter)}`"
    return (f"`{parameter.address}`", _takes(parameter), default, _seen_at(parameter), parameter.help)


def _takes(parameter: Parameter) -> str:
    if parameter.kind == "choice":
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    if parameter.kind in ("float", "int"):
        unit = f" {parameter.unit}" if parameter.unit else ""
        return f"{parameter.minimum:.10g} to {parameter.maximum:.10g}{unit}"
    return {"switch": "on, off", "text": "a text", "trigger": "a press"}[parameter.kind]


def _default(parameter: Parameter) -> str:
    if parameter.kind == "switch":
        return "on" if parameter.default else "off"
    return f"{parameter.default:.10g}" if parameter.kind in ("float", "int") else str(parameter.default)


def _seen_at(parameter: Parameter) -> str:
    return {"chunk": "the next chunk", "step": "the next step", "frame": "the next refresh"}[parameter.clock]
