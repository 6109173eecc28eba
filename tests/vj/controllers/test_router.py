"""Events through mappings: range, press, toggle, momentary, pickup, several devices."""

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


def test_a_fader_moves_a_value_over_its_travel(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/prompt/1/weight", low = 1.0, high = 0.5 }')
    box.move("cc/1/0", 1.0)
    assert box.value("/vj/prompt/1/weight") == 0.5
    box.move("cc/1/0", 0.5)
    assert box.value("/vj/prompt/1/weight") == 0.75
    assert box.controls.moved_by("/vj/prompt/1/weight").source == "midi box cc/1/0"


def test_two_lines_make_a_crossfader(rig):
    box = rig(
        '"cc/1/0" = [{ parameter = "/vj/prompt/1/weight", low = 1.0, high = 0.0 },'
        ' { parameter = "/vj/prompt/2/weight" }]'
    )
    box.move("cc/1/0", 0.25)
    assert box.controls.crossfader_position() == 0.25


def test_a_note_presses_a_command_whatever_its_velocity(rig):
    box = rig('"note/1/36" = { command = "/vj/cut/hard" }')
    for velocity in (1.0, 0.0, 0.01, 0.0):
        box.move("note/1/36", velocity)
    assert box.taken() == ["cut/hard", "cut/hard"]


def test_a_control_change_presses_when_it_rises_through_the_middle(rig):
    box = rig('"cc/1/41" = { command = "/vj/cut/soft" }')
    for value in (1.0, 0.9, 0.0, 0.3, 0.6, 1.0, 0.0):
        box.move("cc/1/41", value)
    assert box.taken() == ["cut/soft", "cut/soft"]


@pytest.mark.parametrize("control", ["note/1/36", "cc/1/36"])
def test_a_switch_toggles(rig, control):
    box = rig(f'"{control}" = {{ parameter = "/vj/output/blackout" }}')
    states = []
    for value in (1.0, 0.0, 1.0, 0.0):
        box.move(control, value)
        states.append(box.value("/vj/output/blackout"))
    assert states == [True, True, False, False]


@pytest.mark.parametrize("control", ["note/1/36", "cc/1/36"])
def test_a_momentary_switch_is_on_while_held(rig, control):
    box = rig(f'"{control}" = {{ parameter = "/vj/output/blackout", mode = "momentary" }}')
    states = []
    for value in (1.0, 0.0, 1.0, 0.0):
        box.move(control, value)
        states.append(box.value("/vj/output/blackout"))
    assert states == [True, False, True, False]


def test_a_note_plays_its_velocity_and_a_momentary_one_falls_back(rig):
    box = rig(
        '"note/1/1" = { parameter = "/vj/prompt/2/weight" }\n'
        '"note/1/2" = { parameter = "/vj/prompt/3/weight", mode = "momentary", low = 0.25 }'
    )
    box.move("note/1/1", 0.5)
    box.move("note/1/1", 0.0)
    box.move("note/1/2", 1.0)
    assert (box.value("/vj/prompt/2/weight"), box.value("/vj/prompt/3/weight")) == (0.5, 1.0)
    box.move("note/1/2", 0.0)
    assert box.value("/vj/prompt/3/weight") == 0.25


def test_presses_set_what_the_line_says(rig):
    box = rig(
        '"note/1/1" = { parameter = "/vj/seed/value", value = 7 }\n'
        '"cc/1/2" = { parameter = "/vj/prompt/2/text", value = "a red river" }\n'
        '"note/1/3" = { parameter = "/vj/prompt/blend", value = "spherical" }'
    )
    box.move("note/1/1", 0.3)
    box.move("cc/1/2", 1.0)
    box.move("note/1/3", 1.0)
    assert box.value("/vj/seed/value") == 7
    assert box.value("/vj/prompt/blend") == "spherical"
    assert box.taken() == ["prompt/text"]


def pickup_box(rig) -> Rig:
    return rig('"cc/1/0" = { parameter = "/vj/output/level", takeover = "pickup" }')


def test_pickup_waits_for_the_crossing_even_when_it_is_skipped_over(rig):
    box = pickup_box(rig)
    box.controls.set("/vj/output/level", 0.5, "panel")
    for position in (0.9, 0.8, 0.7):
        box.move("cc/1/0", position)
        assert box.value("/vj/output/level") == 0.5
    box.move("cc/1/0", 0.1)
    assert box.value("/vj/output/level") == 0.1


def test_pickup_holds_until_another_hand_moves_the_value(rig):
    box = pickup_box(rig)
    box.move("cc/1/0", 1.0)  # the default is 1: it is there
    box.move("cc/1/0", 0.2)
    assert box.value("/vj/output/level") == 0.2
    box.controls.set("/vj/output/level", 0.8, "panel")
    box.move("cc/1/0", 0.3)
    assert box.value("/vj/output/level") == 0.8
    box.move("cc/1/0", 0.795)  # there, within one step of a fader
    box.move("cc/1/0", 0.6)
    assert box.value("/vj/output/level") == 0.6


def test_a_fader_that_has_not_moved_yet_picks_up_only_where_the_value_is(rig):
    box = pickup_box(rig)
    box.move("cc/1/0", 0.3)
    assert box.value("/vj/output/level") == 1.0


def test_devices_and_unmapped_controls_do_not_mix(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/output/level" }')
    box.move("cc/1/0", 0.1, device="other")
    box.move("cc/1/99", 0.1)
    assert box.controls.store.version == 0
    assert box.router.last_event.control == "cc/1/99"
    assert box.router.listens_to("My BOX port")
    assert not box.router.listens_to("other")


def test_mappings_can_be_replaced_while_playing(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/output/level" }')
    box.router.use(())
    box.move("cc/1/0", 0.1)
    assert box.controls.store.version == 0
    assert box.router.mappings == ()
