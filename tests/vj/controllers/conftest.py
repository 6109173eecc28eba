"""A router with the lines of one mapping file, for tests that move its controls."""

from collections.abc import Callable

import pytest

from engine.parameter import Value
from vj.commands import CommandQueue
from vj.controllers.events import ControlEvent
from vj.controllers.mapping import load_mappings
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore


class Rig:
    def __init__(self, router: Router, controls: Controls) -> None:
        self.router, self.controls = router, controls

    def move(self, control: str, value: float, device: str = "box") -> None:
        self.router.handle(ControlEvent(device, control, value, 0))

    def value(self, address: str) -> Value:
        return self.controls.store.get(address)

    def taken(self) -> list[str]:
        return [command.name for command in self.controls.commands.take()]


@pytest.fixture
def rig(tmp_path) -> Callable[[str], Rig]:
    def build(lines: str, device: str = "box") -> Rig:
        path = tmp_path / f"{device}.toml"
        path.write_text(f'device = "{device}"\n[controls]\n{lines}\n')
        mappings, problems = load_mappings([path])
        assert problems == ()
        controls = Controls(ParameterStore(), CommandQueue())
        return Rig(Router(controls, mappings), controls)

    return build
