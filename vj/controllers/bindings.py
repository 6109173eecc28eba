"""What the controls of one device do, as data: bindings, and the files they stand in.

Holds no state; knows nothing of ports, files or stores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.parameter import Parameter, Value
from vj.controllers.events import OWN_DEVICES
from vj.controllers.lights import NO_FEEDBACK, Feedback

ANY_DEVICE, NOT = "*", "!"
Mode = Literal["toggle", "momentary", "cycle"]
Takeover = Literal["pickup", "scale", "jump"]
Encoding = Literal["twos_complement", "offset", "sign_magnitude"]
RANGED_KINDS = ("float", "int")
CLICK = 1.0 / 127.0  # of the travel that a click of an encoder moves a continuous parameter
COUNTED_VALUES = 32  # an encoder counts through whole numbers up to this many, one a click


@dataclass(frozen=True)
class Binding:
    """What one control does to one parameter."""

    parameter: Parameter
    travel: Parameter  # the parameter over the part of its range the control travels; minimum may exceed maximum
    mode: Mode = "toggle"
    takeover: Takeover = "pickup"
    value: Value | None = None  # what a press sets; None = the control's own position
    relative: Encoding | None = None  # how an endless encoder tells its clicks; None = the control has positions
    is_inverted: bool = False
    step: float | None = None  # share of the travel a click moves; None = what suits the parameter

    @property
    def is_command(self) -> bool:
        """Whether a press sends a command instead of setting a value."""
        return self.parameter.kind == "trigger"

    @property
    def step_size(self) -> float:
        """Share of the travel 0..1 that one click moves."""
        if self.step is not None:
            return self.step
        if self.parameter.kind == "choice":
            return 1.0 / len(self.parameter.choices)
        span = abs(self._span) if self.parameter.kind == "int" else 0.0
        return 1.0 / span if 0.0 < span <= COUNTED_VALUES else CLICK

    def value_at(self, position: float) -> Value:
        """Return the value in native units that a control at `position` 0..1 asks for."""
        position = 1.0 - position if self.is_inverted else position
        if self.parameter.kind in RANGED_KINDS:
            return self.parameter.coerce(self.travel.from_normalised(position))
        if self.parameter.kind == "choice":
            choices = self.parameter.choices
            return choices[min(len(choices) - 1, int(position * len(choices)))]
        return self.parameter.coerce(position)

    def position_of(self, value: Value) -> float:
        """Return the position 0..1 at which the control asks for `value`, the nearer end for one off its travel."""
        if self.parameter.kind == "choice":
            position = (self.parameter.choices.index(str(value)) + 0.5) / len(self.parameter.choices)
        elif self.parameter.kind in RANGED_KINDS and self._span:
            assert self.travel.minimum is not None
            share = (float(value) - self.travel.minimum) / self._span
            position = dataclasses.replace(self.travel, minimum=0.0, maximum=1.0).to_normalised(share)
        else:
            position = float(bool(value))
        return 1.0 - position if self.is_inverted else position

    @property
    def _span(self) -> float:
        assert self.travel.minimum is not None and self.travel.maximum is not None
        return self.travel.maximum - self.travel.minimum


def clicks_of(encoding: Encoding, value: float) -> int:
    """Read an endless encoder's message (0..1) as clicks, clockwise positive."""
    number = round(value * 127.0)
    if encoding == "offset":
        return number - 64
    if encoding == "twos_complement":
        return number - 128 if number >= 64 else number
    return 64 - number if number > 64 else number % 64


@dataclass(frozen=True)
class ControllerMapping:
    """One mapping file."""

    path: Path
    devices: tuple[str, ...]  # parts of port names, "!" before one that must not be there; "*"; or one of OWN_DEVICES
    controls: Mapping[str, tuple[Binding, ...]]
    is_overlay: bool = False  # changes single controls of what the device plays without it
    feedback: Feedback = NO_FEEDBACK
    name: str = ""

    @property
    def is_for_any_device(self) -> bool:
        """Whether the file takes whatever port no other file names."""
        return ANY_DEVICE in self.devices

    def names(self, device: str) -> bool:
        """Whether the file names this device: part of a port's name, upper and lower case alike."""
        if device in OWN_DEVICES:
            return device in self.devices
        parts = [part.lower() for part in self.devices if part != ANY_DEVICE and part not in OWN_DEVICES]
        if any(part.startswith(NOT) and part.removeprefix(NOT) in device.lower() for part in parts):
            return False
        return any(part in device.lower() for part in parts if not part.startswith(NOT))


def mappings_for(device: str, mappings: Iterable[ControllerMapping]) -> tuple[ControllerMapping, ...]:
    """Choose what a device plays: the files that name it, else those for any port; then their overlays."""
    known = tuple(mappings)
    chosen = [mapping for mapping in known if not mapping.is_overlay and mapping.names(device)]
    takes_any = not chosen and device not in OWN_DEVICES
    if takes_any:
        chosen = [mapping for mapping in known if not mapping.is_overlay and mapping.is_for_any_device]
    overlays = [mapping for mapping in known if mapping.is_overlay]
    over_any = [mapping for mapping in overlays if takes_any and mapping.is_for_any_device]
    return (*chosen, *over_any, *(mapping for mapping in overlays if mapping.names(device)))


def controls_for(device: str, mappings: Iterable[ControllerMapping]) -> dict[str, tuple[Binding, ...]]:
    """Merge what a device plays, by control: of several files that have a line for a control the last one holds."""
    merged: dict[str, tuple[Binding, ...]] = {}
    for mapping in mappings_for(device, mappings):
        merged |= mapping.controls
    return merged
