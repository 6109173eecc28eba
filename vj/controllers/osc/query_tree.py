"""The OSCQuery view of the instrument: a node for every address, with type, range, value and description.

Derived from the parameter and state tables. Knows nothing of HTTP or websockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.parameter import Parameter, Value
from vj.controllers.osc.addresses import RAW_SUFFIX, TARGETS
from vj.controllers.osc.packet import encode_message
from vj.controllers.osc.state import STATE
from vj.parameters import ALL_PARAMETERS

ACCESS_NONE, ACCESS_READ, ACCESS_WRITE, ACCESS_BOTH = range(4)
_TAGS = {"float": "f", "int": "i", "switch": "T", "choice": "s", "text": "s", "trigger": "I"}
ATTRIBUTES = ("FULL_PATH", "TYPE", "ACCESS", "VALUE", "RANGE", "CLIPMODE", "UNIT", "DESCRIPTION", "CONTENTS")
OPTIONAL_ATTRIBUTES = ("ACCESS", "VALUE", "RANGE", "CLIPMODE", "UNIT", "DESCRIPTION")

Told = Mapping[str, Value]
"""Every value and state by address, native units; triggers 1.0 when they were pressed a moment ago."""


@dataclass(frozen=True)
class QueryNode:
    """One address that answers or tells."""

    path: str
    parameter: Parameter
    is_position: bool  # a fader position 0..1 stands for the value

    @property
    def is_trigger(self) -> bool:
        """Whether it is pressed instead of set."""
        return self.parameter.kind == "trigger"

    def value(self, told: Told) -> Value | None:
        """Return what is held, in the node's own units; None for a trigger."""
        if self.is_trigger:
            return None
        held = told.get(self.parameter.address, self.parameter.default)
        return self.parameter.to_normalised(float(held)) if self.is_position else held

    def message(self, told: Told) -> bytes:
        """Write the OSC message that tells the value; of a trigger, that it was pressed."""
        value = self.value(told)
        return encode_message(self.path) if value is None else encode_message(self.path, value)

    def describe(self, told: Told) -> dict[str, Any]:
        """Return every attribute but CONTENTS."""
        parameter = self.parameter
        found: dict[str, Any] = {"FULL_PATH": self.path, "TYPE": self._tag(told), "ACCESS": self._access()}
        found["VALUE"] = [self.value(told)]
        if self.is_position:
            found["RANGE"] = [{"MIN": 0.0, "MAX": 1.0}]
        elif parameter.choices:
            found["RANGE"] = [{"VALS": list(parameter.choices)}]
        elif parameter.minimum is not None and parameter.maximum is not None:
            found["RANGE"] = [{"MIN": parameter.minimum, "MAX": parameter.maximum}]
        if "MIN" in found.get("RANGE", [{}])[0]:
            found["CLIPMODE"] = ["both"]
        if parameter.unit and not self.is_position:
            found["UNIT"] = [parameter.unit]
        found["DESCRIPTION"] = parameter.help
        if self.is_position:
            unit = f" {parameter.unit}".rstrip()
            found["DESCRIPTION"] += f" 0 to 1 is {parameter.minimum:g} to {parameter.maximum:g}{unit}."
        return found

    def _tag(self, told: Told) -> str:
        return "F" if self.parameter.kind == "switch" and not self.value(told) else _TAGS[self.parameter.kind]

    def _access(self) -> int:
        if self.is_trigger:
            return ACCESS_WRITE
        return ACCESS_BOTH if self.path in TARGETS else ACCESS_READ


def _nodes() -> dict[str, QueryNode]:
    found: dict[str, QueryNode] = {}
    for address, parameter in ALL_PARAMETERS.items():
        is_fader = parameter.kind == "float"
        found[address] = QueryNode(address, parameter, is_fader)
        if is_fader:
            found[address + RAW_SUFFIX] = QueryNode(address + RAW_SUFFIX, parameter, False)
    for address, parameter in STATE.items():
        found[address] = QueryNode(address, parameter, False)
    return found


def _children() -> dict[str, dict[str, None]]:
    """List the names below every container.

    The /raw of a fader answers and can be listened to, but is not listed: an address with a value has no children.
    """
    found: dict[str, dict[str, None]] = {"/": {}}
    for path in (path for path in NODES if not path.endswith(RAW_SUFFIX)):
        names = path.split("/")[1:]
        for depth, name in enumerate(names):
            container = "/" + "/".join(names[:depth])
            found.setdefault(container, {})[name] = None
    return found


NODES: dict[str, QueryNode] = _nodes()
_CHILDREN = _children()


def describe(path: str, told: Told) -> dict[str, Any] | None:
    """Return a node and everything below it, as OSCQuery's JSON; None when there is no such path."""
    node, names = NODES.get(path), _CHILDREN.get(path)
    if node is None and names is None:
        return None
    found = node.describe(told) if node else {"FULL_PATH": path, "ACCESS": ACCESS_NONE}
    if names is not None:
        root = path.rstrip("/")
        found["CONTENTS"] = {name: describe(f"{root}/{name}", told) for name in names}
    return found
