"""How a model is computed: which switches for speed are on. The defaults are the exact path.

From a preset's table [acceleration], then from `--accelerate NAME=VALUE`. Imports no torch; knows nothing of kernels.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from engine.preset_table import PresetTable, did_you_mean

LINEARS = ("exact", "fp8", "int8")
ATTENTIONS = ("exact", "fp8")
SWITCHES = {"on": True, "off": False}
MOST_STEPS = 50
MODEL_STEPS = "model"


class AccelerationError(ValueError):
    """A switch nobody knows, or a value it does not have; the message is a sentence."""


@dataclass(frozen=True)
class Acceleration:
    """Switches for speed. What is exact is on by itself where the machine can do it; the rest is off."""

    fused: bool = True  # exact: fused kernels, where the device has them
    graphs: bool = True  # exact: a whole chunk as one CUDA graph, where the device has them
    linears: str = "exact"  # one of LINEARS: number type of the blocks' linear layers
    attention: str = "exact"  # one of ATTENTIONS: number type of the self-attention
    clean_pass: bool = True  # off: later chunks look back at what the last step left; approximate
    fold: bool = False  # exact: the clean pass runs together with the next chunk's first step
    steps: int | None = None  # at most so many denoising steps; None = as many as are asked for
    compile: bool = False  # exact: torch.compile, a minute at the start; kept only where that measures faster

    @property
    def is_exact(self) -> bool:
        """Whether the model is computed as published: other rounding at most."""
        return (self.linears, self.attention, self.clean_pass, self.steps) == ("exact", "exact", True, None)

    @property
    def words(self) -> tuple[str, ...]:
        """What differs from the exact path's defaults, as NAME=VALUE."""
        default = dataclasses.asdict(Acceleration())
        mine = dataclasses.asdict(self)
        return tuple(f"{name}={_written(value)}" for name, value in mine.items() if value != default[name])

    def changed(self, words: Iterable[str]) -> Acceleration:
        """This with NAME=VALUE words applied, the last one of a name counting. Raises AccelerationError."""
        return dataclasses.replace(self, **dict(_read_word(word) for word in words))


EXACT = Acceleration()
_CHOICES = {"linears": LINEARS, "attention": ATTENTIONS}
_NAMES = tuple(field.name for field in dataclasses.fields(Acceleration))


def read_acceleration(table: PresetTable) -> Acceleration:
    """What a preset's table [acceleration] asks for; problems are noted in the table."""
    default = Acceleration()
    read = Acceleration(
        fused=table.switch("fused", default.fused),
        graphs=table.switch("graphs", default.graphs),
        linears=table.text("linears", default.linears, LINEARS),
        attention=table.text("attention", default.attention, ATTENTIONS),
        clean_pass=table.switch("clean_pass", default.clean_pass),
        fold=table.switch("fold", default.fold),
        steps=table.integer("steps", maximum=MOST_STEPS) if table.has("steps") else None,
        compile=table.switch("compile", default.compile),
    )
    table.finish()
    return read


def add_acceleration_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --accelerate."""
    parser.add_argument(
        "--accelerate",
        nargs="+",
        action="extend",
        default=[],
        type=_checked,
        metavar="NAME=VALUE",
        help="switches for speed: fused, graphs, clean_pass, fold, compile = on or off; linears = exact, fp8 or int8; "
        "attention = exact or fp8; steps = at most so many, or model (default: the preset's; what is exact is on, "
        "what is not is off)",
    )


def acceleration_words(words: Iterable[str]) -> list[str]:
    """The same as words, for a process that is started."""
    return [part for word in words for part in ("--accelerate", word)]


def _checked(word: str) -> str:
    try:
        _read_word(word)
    except AccelerationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return word


def _read_word(word: str) -> tuple[str, bool | str | int | None]:
    name, equals, value = word.partition("=")
    if name not in _NAMES:
        known = ", ".join(_NAMES)
        raise AccelerationError(f"{name!r} is no switch for speed{did_you_mean(name, _NAMES)} (known: {known})")
    choices = _CHOICES.get(name, tuple(SWITCHES))
    if name == "steps":
        return name, _read_steps(value)
    if not equals or value not in choices:
        near = did_you_mean(value, choices)
        raise AccelerationError(f"{word!r}: {name} is one of {', '.join(choices)}{near}; write {name}={choices[0]}")
    return name, SWITCHES.get(value, value)


def _read_steps(value: str) -> int | None:
    if value == MODEL_STEPS:
        return None
    if not (value.isascii() and value.isdigit()) or not 1 <= int(value) <= MOST_STEPS:
        raise AccelerationError(f"'steps={value}': steps is a whole number from 1 to {MOST_STEPS}, or {MODEL_STEPS}")
    return int(value)


def _written(value: bool | str | int | None) -> str:
    if value is None:
        return MODEL_STEPS
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
