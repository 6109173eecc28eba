"""One door: values reach the store, presses and texts reach the queue."""

import pytest

from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore, UnknownAddressError


@pytest.fixture
def controls():
    return Controls(ParameterStore(), CommandQueue())


def test_a_value_goes_to_the_store_alone(controls):
    assert controls.set("/vj/seed/value", "2147483647", "osc") == 2**31 - 1
    assert controls.store.get("/vj/seed/value") == 2**31 - 1
    assert controls.commands.take() == []


def test_a_text_is_a_value_and_a_command(controls):
    controls.set("/vj/prompt/3/text", "  green smoke ", "panel")
    (command,) = controls.commands.take()
    assert (command.name, command.arguments) == ("prompt/text", {"pad": 3, "text": "green smoke"})
    assert controls.store.get("/vj/prompt/3/text") == "green smoke"


@pytest.mark.parametrize(
    ("address", "name"), [("/vj/lora/2/file", "lora/file"), ("/vj/vace/ref/2/file", "reference/file")]
)
def test_a_file_is_a_value_and_a_command(controls, address, name):
    controls.set(address, "/pictures/face.png", "panel")
    (command,) = controls.commands.take()
    assert (command.name, command.arguments) == (name, {"slot": 2, "file": "/pictures/face.png"})


def test_the_text_that_plays_already_asks_for_nothing(controls):
    controls.set("/vj/prompt/1/text", "green smoke", "panel")
    controls.set("/vj/prompt/1/text", "green smoke", "osc")
    assert len(controls.commands.take()) == 1


def test_triggers_become_commands_and_remember_who_pressed(controls):
    controls.trigger("/vj/cut/hard", "midi box")
    controls.trigger("/vj/cut/soft", "panel", at_ns=99)
    assert [(c.name, c.at_ns) for c in controls.commands.take()] == [("cut/hard", None), ("cut/soft", 99)]
    assert controls.moved_by("/vj/cut/hard").source == "midi box"
    assert controls.moved_by("/vj/seed/value") is None


@pytest.mark.parametrize(("value", "presses"), [(1, 1), (None, 1), (1.0, 1), (0, 0), ("off", 0)])
def test_setting_a_trigger_fires_on_a_press_only(controls, value, presses):
    controls.set("/vj/cut/hard", value, "osc")
    assert len(controls.commands.take()) == presses


def test_the_crossfader_is_read_back_from_the_weights(controls):
    assert controls.crossfader_position() == 0.0
    controls.crossfade(0.25, "panel")
    assert controls.store.get("/vj/prompt/1/weight") == 0.75
    assert controls.store.get("/vj/prompt/2/weight") == 0.25
    assert controls.store.version == 1
    controls.set("/vj/prompt/1/weight", 0.25, "midi")
    assert controls.crossfader_position() == 0.5
    controls.set_many({"/vj/prompt/1/weight": 0, "/vj/prompt/2/weight": 0}, "midi")
    assert controls.crossfader_position() == 0.0


def test_normalised_positions_are_for_continuous_parameters(controls):
    assert controls.set_normalised("/vj/prompt/2/weight", 0.5, "midi") == 0.5
    with pytest.raises(ValueError, match="is of kind int"):
        controls.set_normalised("/vj/seed/value", 0.5, "midi")


@pytest.mark.parametrize("call", ["set", "trigger", "set_normalised"])
def test_unknown_addresses_are_refused_with_a_suggestion(controls, call):
    calls = {
        "set": lambda: controls.set("/vj/cut/hart", 1, "osc"),
        "trigger": lambda: controls.trigger("/vj/cut/hart", "osc"),
        "set_normalised": lambda: controls.set_normalised("/vj/cut/hart", 1.0, "osc"),
    }
    with pytest.raises(UnknownAddressError, match="did you mean '/vj/cut/hard'"):
        calls[call]()
