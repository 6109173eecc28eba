"""Every kind of control through a real port: what is decoded here is decoded on stage."""

import pytest

from tests.servers.midi_box import wait_until
from vj.commands import CommandQueue
from vj.controllers.mapping import load_mappings
from vj.controllers.midi import MidiInput
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore

LINES = """
device = "box"
[controls]
"cc/1/1" = { parameter = "/vj/output/level" }
"cc/1/20" = { parameter = "/vj/effect/contrast", relative = "twos_complement", step = 0.1 }
"cc/1/21" = { parameter = "/vj/effect/saturation", relative = "offset", step = 0.1, invert = true }
"cc14/1/7" = { parameter = "/vj/seed/morph", takeover = "jump" }
"nrpn/2/1234" = { parameter = "/vj/effect/hue", takeover = "jump" }
"bend/1" = { parameter = "/vj/effect/zoom" }
"pressure/3" = { parameter = "/vj/input/noise", takeover = "jump" }
"pressure/3/60" = { parameter = "/vj/vace/scale", takeover = "jump" }
"program/1/5" = { parameter = "/vj/seed/value", value = 5 }
"note/10/36" = { parameter = "/vj/output/blackout", mode = "momentary" }
"""


class Desk:
    """A controller on a real port, and the values it moves."""

    def __init__(self, plug, router: Router, store: ParameterStore) -> None:
        self.plug, self.router, self.store = plug, router, store
        self.midi = MidiInput(router, look_every_s=0.05)
        self.midi.start()
        self.come()

    def come(self) -> None:
        self.box = self.plug("box")
        wait_until(lambda: "box:slider" in self.midi.status.devices)

    def go(self) -> None:
        self.box.unplug()
        wait_until(lambda: "box:slider" not in self.midi.status.devices)

    def play(self, *messages: list[int]) -> None:
        """Send messages and wait until the last one has been played."""
        for message in (*messages, [0xBF, 119, 0], [0xBF, 119, 127]):
            self.box.send(*message)
        wait_until(lambda: self.router.touch("box:slider", "cc/16/119") is not None)
        wait_until(lambda: self.router.touch("box:slider", "cc/16/119").position == 1.0)
        self.box.send(0xBF, 119, 0)
        wait_until(lambda: self.router.touch("box:slider", "cc/16/119").position == 0.0)

    def value(self, name: str) -> object:
        return self.store.get(f"/vj/{name}")


@pytest.fixture
def desk(plug, tmp_path):
    path = tmp_path / "box.toml"
    path.write_text(LINES)
    mappings, problems = load_mappings([path])
    assert problems == ()
    controls = Controls(ParameterStore(), CommandQueue())
    desk = Desk(plug, Router(controls, mappings), controls.store)
    yield desk
    desk.midi.stop()


def test_each_kind_is_decoded(desk):
    desk.play([0xB0, 20, 1], [0xB0, 20, 2], [0xB0, 20, 127], [0xB0, 21, 65])
    assert (desk.value("effect/contrast"), desk.value("effect/saturation")) == pytest.approx((1.4, 0.8))
    desk.play([0xB0, 7, 64], [0xB0, 39, 5], [0xB1, 99, 9], [0xB1, 98, 82], [0xB1, 6, 96], [0xB1, 38, 0])
    assert desk.value("seed/morph") == (64 << 7 | 5) / 16383
    assert desk.value("effect/hue") == pytest.approx(-180 + 360 * (96 << 7) / 16383)
    desk.play([0xE0, 0, 64], [0xD2, 127], [0xA2, 60, 127], [0xC0, 5], [0x99, 36, 100])
    assert (desk.value("effect/zoom"), desk.value("input/noise"), desk.value("vace/scale")) == (2.5, 1.0, 2.0)
    assert (desk.value("seed/value"), desk.value("output/blackout")) == (5, True)
    desk.play([0x89, 36, 0])
    assert desk.value("output/blackout") is False


def test_pickup_does_not_jump_also_after_the_cable_was_out(desk):
    desk.store.set("/vj/output/level", 0.5, "look sea")
    desk.play([0xB0, 1, 100], [0xB0, 1, 90])
    assert desk.value("output/level") == 0.5
    assert desk.router.ghosts()["/vj/output/level"].direction == -1
    desk.play([0xB0, 1, 60], [0xB0, 1, 30])
    assert desk.value("output/level") == 30 / 127
    desk.go()
    desk.come()
    desk.play([0xB0, 1, 120], [0xB0, 1, 110])  # moved while it was out
    assert desk.value("output/level") == 30 / 127
    desk.play([0xB0, 1, 20])
    assert desk.value("output/level") == 20 / 127
    assert desk.router.ghosts() == {}
