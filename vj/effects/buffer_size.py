"""Sizes of an effect's buffers as ISF writes them: `$WIDTH / 4`, `max($HEIGHT, 64)`. Numbers in, pixels out."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

LARGEST = 4096  # pixels each way
_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "min": min,
    "max": max,
    "abs": abs,
}


def buffer_size(text: str, values: Mapping[str, float]) -> int:
    """Work out a size in pixels, 1..LARGEST. `values` holds WIDTH, HEIGHT and the effect's inputs by name.

    Raises ValueError with a sentence.
    """
    try:
        size = _worked_out(_parsed(text), values)
    except (ZeroDivisionError, OverflowError, TypeError):
        raise ValueError(f"the size {text!r} has no value") from None
    return round(min(LARGEST, max(1.0, size))) if size == size else 1


def check_size(text: str) -> None:
    """Raise ValueError when a size is none, whatever the effect's inputs are."""
    names = {node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name)} - _FUNCTIONS.keys()
    buffer_size(text, dict.fromkeys(names, 1.5))


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text.replace("$", "").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise ValueError(f"the size {text!r} cannot be read; it is made of $WIDTH, $HEIGHT and + - * /") from None


def _worked_out(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            return float(values[name])
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_worked_out(inner, values)
        case ast.BinOp(left=left, op=action, right=right) if type(action) in _OPERATIONS:
            return _OPERATIONS[type(action)](_worked_out(left, values), _worked_out(right, values))
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS and arguments:
            return float(_FUNCTIONS[name](*(_worked_out(one, values) for one in arguments)))
    raise ValueError(f"{ast.unparse(node)!r} is nothing a size can be made of")
