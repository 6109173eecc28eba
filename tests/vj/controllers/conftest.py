"""A router with the lines of one mapping file, and real MIDI controllers on a JACK server."""

from collections.abc import Callable, Iterator

import pytest

from engine.parameter import Value
from tests.servers.midi_box import MidiBox
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


@pytest.fixture
def plug(jack, monkeypatch) -> Iterator[Callable[[str], MidiBox]]:
    """Plug a controller of a name: `plug("nanoKONTROL2").send(0xB0, 5, 127)`; unplugged at the end."""
    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    boxes: list[MidiBox] = []

    def make(name: str) -> MidiBox:
        boxes.append(MidiBox(name))
        return boxes[-1]

    yield make
    for box in boxes:
        box.unplug()
