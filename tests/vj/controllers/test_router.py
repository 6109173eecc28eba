"""Events through mappings: range, press, toggle, momentary, cycle, encoders, several devices."""

import pytest

from vj.controllers.events import ControlEvent


def test_a_fader_moves_a_value_over_its_travel(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/prompt/1/weight", low = 1.0, high = 0.5 }')
    box.move("cc/1/0", 0.0)  # the default is there
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
    box.move("cc/1/0", 0.0)
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


@pytest.mark.parametrize(
    ("encoding", "up", "down"), [("twos_complement", 2, 126), ("offset", 66, 62), ("sign_magnitude", 2, 66)]
)
def test_an_endless_encoder_moves_from_where_the_value_is(rig, encoding, up, down):
    box = rig(
        f'"cc/1/0" = {{ parameter = "/vj/output/level", relative = "{encoding}", step = 0.05 }}\n'
        f'"cc/1/1" = {{ parameter = "/vj/output/level", relative = "{encoding}", step = 0.05, invert = true }}'
    )
    box.controls.set("/vj/output/level", 0.5, "panel")
    box.move("cc/1/0", up / 127)
    assert box.value("/vj/output/level") == pytest.approx(0.6)
    box.move("cc/1/0", down / 127)
    box.move("cc/1/0", down / 127)
    assert box.value("/vj/output/level") == pytest.approx(0.4)
    box.move("cc/1/1", up / 127)
    assert box.value("/vj/output/level") == pytest.approx(0.3)
    assert box.router.ghosts() == {}


def test_an_encoder_counts_whole_numbers_choices_switches_and_presses(rig):
    box = rig(
        '"cc/1/0" = { parameter = "/vj/model/steps", relative = "offset" }\n'
        '"cc/1/1" = { parameter = "/vj/sink/mode", relative = "offset" }\n'
        '"cc/1/2" = { parameter = "/vj/output/blackout", relative = "offset" }\n'
        '"cc/1/3" = { command = "/vj/cut/hard", relative = "offset" }\n'
        '"cc/1/4" = { parameter = "/vj/seed/value", relative = "offset", low = 0, high = 1000, step = 0.0004 }'
    )
    for control in range(5):
        for number in (65, 65, 63):
            box.move(f"cc/1/{control}", number / 127)
    assert box.value("/vj/model/steps") == 3  # from 4: clamped, clamped, down
    assert box.value("/vj/sink/mode") == "ema_fp32"
    assert box.value("/vj/output/blackout") is False
    assert box.taken() == ["cut/hard", "cut/hard"]
    for _ in range(4):
        box.move("cc/1/4", 65 / 127)
    assert box.value("/vj/seed/value") == 2  # 5 clicks of 0.4


def test_a_step_message_turns_without_a_position(rig):
    box = rig('"nrpn/1/300" = { parameter = "/vj/output/level" }')
    for clicks in (-1, -1, 1):
        box.router.handle(ControlEvent("box", "nrpn/1/300", 0.0, 0, clicks))
    assert box.value("/vj/output/level") == pytest.approx(1.0 - 1 / 127)


def test_a_button_cycles(rig):
    box = rig(
        '"note/1/1" = { parameter = "/vj/clock/quantise", mode = "cycle" }\n'
        '"cc/1/1" = { parameter = "/vj/model/chunk", mode = "cycle" }'
    )
    seen = []
    for _ in range(6):
        box.move("note/1/1", 0.5)
        box.move("note/1/1", 0.0)
        box.move("cc/1/1", 1.0)
        box.move("cc/1/1", 0.0)
        seen.append((box.value("/vj/clock/quantise"), box.value("/vj/model/chunk")))
    assert [quantise for quantise, _ in seen] == ["beat", "bar", "2 bars", "4 bars", "off", "beat"]
    assert {chunk for _, chunk in seen} == {1, 2, 3}


def test_bend_pressure_program_and_keys_play(rig):
    box = rig(
        '"bend/1" = { parameter = "/vj/effect/hue" }\n'
        '"pressure/1" = { parameter = "/vj/effect/zoom", takeover = "jump" }\n'
        '"program/1/5" = { parameter = "/vj/seed/value", value = 5 }'
    )
    box.move("bend/1", 0.75)
    box.move("pressure/1", 1.0)
    box.move("program/1/5", 1.0)
    values = [box.value(f"/vj/{name}") for name in ("effect/hue", "effect/zoom", "seed/value")]
    assert values == [90.0, 4.0, 5]
    keys = rig('"key/F1" = { command = "/vj/cut/soft" }', "keyboard")
    for value in (1.0, 0.0, 1.0):
        keys.move("key/F1", value, "keyboard")
    assert keys.taken() == ["cut/soft", "cut/soft"]
    assert keys.controls.moved_by("/vj/cut/soft").source == "key/F1"


def test_a_sender_of_ones_presses_each_time(rig):
    box = rig('"osc/layer/1/clip/1/connect" = { command = "/vj/cut/soft" }', "osc")
    for value in (1.0, 1.0, 0.0):
        box.move("osc/layer/1/clip/1/connect", value, "osc")
    assert box.taken() == ["cut/soft", "cut/soft"]


def test_a_tap_sees_everything_and_keeps_what_it_takes(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/output/level" }')
    seen = []
    box.router.intercept(lambda event: not seen.append(event.control))
    box.move("cc/1/0", 1.0)
    box.move("cc/1/0", 0.5)
    box.router.intercept(None)
    assert seen == ["cc/1/0", "cc/1/0"]
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
