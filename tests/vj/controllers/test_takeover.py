"""Soft takeover: a control that is elsewhere than its value does not make it jump; ghosts show where it waits."""

import pytest


def pickup_box(rig):
    return rig('"cc/1/0" = { parameter = "/vj/output/level" }')


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


def test_a_first_touch_near_the_value_holds_it(rig):
    box = pickup_box(rig)
    box.controls.set("/vj/output/level", 0.5, "look sea")
    box.move("cc/1/0", 0.52)
    assert box.value("/vj/output/level") == 0.52


def test_pickup_works_upside_down_on_curves_and_beyond_the_travel(rig):
    box = rig(
        '"cc/1/0" = { parameter = "/vj/output/level", low = 1.0, high = 0.0, curve = "log" }\n'
        '"cc/1/1" = { parameter = "/vj/sink/decay", low = 0.9, high = 1.0 }'
    )
    box.move("cc/1/0", 0.5)
    assert box.value("/vj/output/level") == 1.0
    box.move("cc/1/0", 0.0)
    box.move("cc/1/0", 1.0)
    assert box.value("/vj/output/level") == 0.0
    box.controls.set("/vj/sink/decay", 0.3, "panel")  # off the knob's travel: its near end picks up
    box.move("cc/1/1", 0.5)
    assert box.value("/vj/sink/decay") == 0.3
    box.move("cc/1/1", 0.0)
    box.move("cc/1/1", 0.1)
    assert box.value("/vj/sink/decay") == pytest.approx(0.91)


def test_two_controls_on_one_parameter_take_it_over_from_each_other(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/output/level" }\n"cc/1/1" = { parameter = "/vj/output/level" }')
    box.move("cc/1/0", 1.0)
    box.move("cc/1/0", 0.6)
    box.move("cc/1/1", 0.2)
    assert box.value("/vj/output/level") == 0.6
    ghost = box.router.ghosts()["/vj/output/level"]
    assert (ghost.position, ghost.direction, ghost.control) == (0.2, 1, "cc/1/1")
    box.move("cc/1/1", 0.7)
    assert box.value("/vj/output/level") == 0.7
    assert box.router.ghosts()["/vj/output/level"].control == "cc/1/0"
    box.move("cc/1/0", 0.5)
    assert box.value("/vj/output/level") == 0.7


def test_a_ghost_shows_as_soon_as_a_look_moves_the_value_and_goes_when_it_is_reached(rig):
    box = pickup_box(rig)
    box.move("cc/1/0", 1.0)
    box.move("cc/1/0", 0.8)
    assert box.router.ghosts() == {}
    box.controls.set_many({"/vj/output/level": 0.25, "/vj/effect/hue": 10.0}, "look sea")
    ghost = box.router.ghosts()["/vj/output/level"]
    assert (ghost.position, ghost.direction) == (0.8, -1)
    box.move("cc/1/0", 0.5)
    assert box.router.ghosts()["/vj/output/level"].position == 0.5
    assert box.router.last_played.is_waiting
    box.move("cc/1/0", 0.2)
    assert box.router.ghosts() == {}
    assert not box.router.last_played.is_waiting


def test_a_fader_that_was_moved_while_its_cable_was_out_does_not_jump(rig):
    box = pickup_box(rig)
    box.move("cc/1/0", 1.0)
    box.move("cc/1/0", 0.3)
    box.router.device_came("box")
    box.move("cc/1/0", 0.9)
    assert box.value("/vj/output/level") == 0.3
    box.move("cc/1/0", 0.85)
    assert box.value("/vj/output/level") == 0.3
    assert box.router.ghosts()["/vj/output/level"].position == 0.85
    box.move("cc/1/0", 0.2)
    assert box.value("/vj/output/level") == 0.2
    box.router.device_came("box")
    box.move("cc/1/0", 0.21)  # it was left where it was: it goes on
    box.move("cc/1/0", 0.6)
    assert box.value("/vj/output/level") == 0.6


def test_value_scaling_meets_the_control_at_the_end(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/output/level", takeover = "scale" }')
    box.controls.set("/vj/output/level", 0.5, "panel")
    box.move("cc/1/0", 0.8)
    assert box.value("/vj/output/level") == 0.5
    box.move("cc/1/0", 0.9)
    assert box.value("/vj/output/level") == pytest.approx(0.75)
    box.move("cc/1/0", 1.0)
    assert box.value("/vj/output/level") == 1.0
    box.move("cc/1/0", 0.4)
    assert box.value("/vj/output/level") == pytest.approx(0.4)


def test_jump_jumps(rig):
    box = rig('"cc/1/0" = { parameter = "/vj/output/level", takeover = "jump" }')
    box.move("cc/1/0", 0.3)
    assert box.value("/vj/output/level") == 0.3
