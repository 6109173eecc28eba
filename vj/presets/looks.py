"""Looks: named sets of parameter values, read from and written as TOML.

Knows nothing of engines or widgets; a look is played through the one door or becomes a plan for an offline render.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from engine.parameter import Parameter, Value
from engine.params import ENGINE_PARAMETERS, ChunkParams
from engine.preset_table import did_you_mean
from engine.rendering.plan import Cue, RenderPlan
from vj.controls import Controls
from vj.effects.params import FILE_ADDRESSES
from vj.inputs.params import INPUT_PARAMETERS
from vj.parameters import PARAMETERS, TRIGGERS
from vj.written_files import FileError, Problem, read_toml, show_value

SEED_ADDRESS = "/vj/seed/value"
NAMED_ADDRESSES = 3  # more than these are named by their groups
SAVED_GROUPS = ("prompt", "seed", "model", "sink", "lora", "vace", "input", "layer", "effect", "mod")
"""What a saved look holds whole. Not `output`: brightness and blackout belong to the performer's hand."""
_OF_THE_PLACE = frozenset(parameter.address for parameter in INPUT_PARAMETERS) | FILE_ADDRESSES
_GROUPS = tuple(dict.fromkeys(address.split("/")[2] for address in PARAMETERS))
_FILE_KEYS = ("name", "description", "groups", "values")


@dataclass(frozen=True)
class Look:
    """What one file asks for; parameters it does not hold stay where they are."""

    name: str
    description: str
    values: Mapping[str, Value]  # address -> native units


def load_look(path: Path) -> tuple[Look, tuple[Problem, ...]]:
    """Read a look; what is wrong in it is left out and told. Raises FileError when nothing is left."""
    file = read_toml(path)
    problems = [
        Problem(path, key, f"unknown key{did_you_mean(key, _FILE_KEYS)}") for key in file if key not in _FILE_KEYS
    ]
    named, found = read_values(path, "values", file.get("values", {}))
    problems += found
    groups, found = _read_groups(path, file.get("groups", []))
    problems += found
    values = defaults_of(groups) | named
    if not values:
        raise FileError(path, f"sets nothing ({problems[0]})" if problems else "has no [values] to set")
    words = {key: file.get(key, "") for key in ("name", "description")}
    for key, word in words.items():
        if not isinstance(word, str):
            problems.append(Problem(path, key, f"must be a text, not {show_value(word)}"))
    return Look(str(words["name"]) or path.stem, str(words["description"]), values), tuple(problems)


def read_values(path: Path, key: str, table: object) -> tuple[dict[str, Value], list[Problem]]:
    """Check a table of addresses and values; clamp what is out of range, leave out what has no reading, tell both."""
    if not isinstance(table, dict):
        return {}, [Problem(path, key, f"must be a table of addresses, not {show_value(table)}")]
    values: dict[str, Value] = {}
    problems: list[Problem] = []
    for address, value in table.items():
        parameter = PARAMETERS.get(address)
        if parameter is None:
            problems.append(Problem(path, f"{key}.{address}", _no_value(address)))
            continue
        try:
            values[address] = parameter.coerce(value)
        except ValueError as error:
            problems.append(Problem(path, f"{key}.{address}", str(error).removeprefix(f"{address}: ")))
            continue
        if sentence := _clamped(parameter, value, values[address]):
            problems.append(Problem(path, f"{key}.{address}", sentence))
    return values, problems


def group_of(address: str) -> str:
    """Return the group of an address: `prompt` of /vj/prompt/1/text."""
    return address.split("/")[2]


def defaults_of(groups: Iterable[str]) -> dict[str, Value]:
    """Return every parameter of these groups at its default; cameras, films and a user's own effects are left alone."""
    wanted = frozenset(groups)
    return {
        address: parameter.default
        for address, parameter in PARAMETERS.items()
        if group_of(address) in wanted and address not in _OF_THE_PLACE
    }


def look_from(values: Mapping[str, Value], name: str, description: str = "") -> Look:
    """Make a look of what plays: the whole of SAVED_GROUPS, out of a snapshot of the store."""
    own = [address for address in sorted(FILE_ADDRESSES) if values[address]]
    return Look(name, description, {address: values[address] for address in [*defaults_of(SAVED_GROUPS), *own]})


def look_text(look: Look) -> str:
    """Spell a look as TOML. Of the groups it holds whole only what is not at its default is written."""
    held = {group for group in _GROUPS if defaults_of([group]).keys() <= look.values.keys()}
    file = tomlkit.document()
    file.add("name", look.name)
    file.add("description", look.description)
    if held:
        file.add(tomlkit.comment("held whole: what is not written below goes to its default"))
        file.add("groups", [group for group in _GROUPS if group in held])
    table = tomlkit.table()
    for address, value in look.values.items():
        if group_of(address) not in held or value != PARAMETERS[address].default:
            table.add(address, value)
    file.add("values", table)
    return tomlkit.dumps(file)


def apply_look(controls: Controls, look: Look) -> None:
    """Play a look at once: all its values in one version. Any thread."""
    controls.set_many(look.values, f"look {look.name}")


def look_plan(look: Look) -> RenderPlan:
    """Make the plan of a render that shows this look from beginning to end."""
    seed = look.values.get(SEED_ADDRESS)
    cue = Cue(0.0, ChunkParams.from_values(look.values))
    return RenderPlan((cue,), seed=None if seed is None else int(seed), notes=live_only_notes(look.values))


def live_only_notes(values: Mapping[str, Value]) -> tuple[str, ...]:
    """Name what a render leaves out: values that act on the live output and are not at their default."""
    engine = {parameter.address for parameter in ENGINE_PARAMETERS}
    left_out = [a for a, value in values.items() if a not in engine and value != PARAMETERS[a].default]
    if len(left_out) > NAMED_ADDRESSES:
        left_out = [f"the {group} parameters" for group in dict.fromkeys(map(group_of, left_out))]
    return (f"only the live output plays {', '.join(left_out)}",) if left_out else ()


def _read_groups(path: Path, groups: object) -> tuple[list[str], list[Problem]]:
    if not isinstance(groups, list):
        return [], [Problem(path, "groups", f"must be a list of groups, not {show_value(groups)}")]
    known = [group for group in groups if group in _GROUPS]
    problems = [
        Problem(path, "groups", f"{show_value(group)} is no group{did_you_mean(str(group), _GROUPS)}")
        for group in groups
        if group not in _GROUPS
    ]
    return known, problems


def _no_value(address: str) -> str:
    if address in TRIGGERS:
        return "is a command and holds no value"
    return f"unknown address{did_you_mean(address, PARAMETERS)}"


def _clamped(parameter: Parameter, value: object, held: Value) -> str:
    if parameter.kind not in ("float", "int") or isinstance(value, str) or held == value:
        return ""
    return f"{value!r} is outside {parameter.minimum:g} to {parameter.maximum:g}; {held!r} is taken"
