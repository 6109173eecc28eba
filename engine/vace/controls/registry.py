"""Every control there is, by the name a performer chooses: how it is made, and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from engine.vace.controls import pictures
from engine.vace.controls.depth import load_depth
from engine.vace.controls.flow import flow
from engine.vace.controls.maker import ControlMaker
from engine.vace.controls.pose import load_pose


@dataclass(frozen=True)
class Control:
    """One control. Exactly one of `make` and `load` is there."""

    name: str
    description: str
    make: ControlMaker | None = None  # ready as it is: OpenCV, which is installed with the program
    load: Callable[[torch.device], ControlMaker] | None = None  # reads a published network; raises CheckpointError

    @property
    def needs(self) -> str:
        """What must be on the machine for it, as a person would say it; empty = nothing more."""
        return "a published network: `vj models download controls`" if self.load else ""


_ALL = (
    Control("none", "the picture as it is", pictures.unchanged),
    Control("luma", "its brightness", pictures.luma),
    Control("edges", "soft lines", pictures.edges),
    Control("blur", "the picture blurred", pictures.blur),
    Control("flow", "its motion as colour", flow),
    Control("depth", "near bright, far dark", load=load_depth),
    Control("pose", "people as coloured sticks", load=load_pose),
    Control("colour", "fields of its colours", pictures.colour),
)
CONTROL_MAKERS: dict[str, Control] = {control.name: control for control in _ALL}
