"""Every shipped mapping file, played through every control it declares: real ports, real bytes."""

import time
from pathlib import Path

import pytest

from engine.parameter import Value
from tests.servers.midi_box import wait_until
from vj.commands import CommandQueue
from vj.controllers.bindings import Binding, ControllerMapping
from vj.controllers.events import OWN_DEVICES, ControlEvent
from vj.controllers.feedback import SETTLE_NS, MidiFeedback
from vj.controllers.lights import Light
from vj.controllers.mapping import load_mapping
from vj.controllers.midi import MidiInput
from vj.controllers.midi_outputs import MidiOutputs
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.shipped_files import MAPPINGS, shipped_folder

FILES = sorted(shipped_folder(MAPPINGS).glob("*.toml"))
SIX_CONTROLLERS = {"akai_midimix", "korg_nanokontrol2", "novation_launch_control_xl_mk2", "novation_launchpad_mini_mk3"}
SIX_CONTROLLERS |= {"akai_apc40_mk2", "djtt_midi_fighter_twister"}
CLICK_UP = {"twos_complement": 1, "offset": 65, "sign_magnitude": 1}
BATCH = 12  # messages; many more at once and the JACK server's period is too short for one port


class Recorder(Controls):
    """The instrument's door, remembering who moved what to which value."""

    def __init__(self) -> None:
        super().__init__(ParameterStore(), CommandQueue())
        self.moves: list[tuple[str, str, object]] = []

    def set(self, address: str, value: object, source: str) -> Value:
        self.moves.append((address, source.split()[-1], value))
        return super().set(address, value, source)

    def trigger(self, address: str, source: str, at_ns: int | None = None) -> None:
        self.moves.append((address, source.split()[-1], True))


def positions(binding: Binding) -> list[int]:
    """What a hand sends to play a binding from one end to the other: 0..127 each."""
    if binding.relative:
        return [CLICK_UP[binding.relative]]
    return [0, 127, 0]


def message(control: str, number: int) -> list[int]:
    kind, *words = control.split("/")
    channel, *rest = (int(word) for word in words)
    return [{"cc": 0xB0, "note": 0x90}[kind] | channel - 1, *rest, number]


def expected(binding: Binding) -> list[object]:
    """The values a binding must have set after `positions`."""
    if binding.is_command:
        return [True]
    if binding.value is not None:
        return [binding.value]
    if binding.relative or binding.mode == "cycle" or binding.parameter.kind == "switch":
        return []
    return [binding.value_at(0.0), binding.value_at(1.0)]


def check(mapping: ControllerMapping, controls: Recorder) -> None:
    silent = [
        f"{control} on {binding.parameter.address} {value}"
        for control, bindings in mapping.controls.items()
        for binding in bindings
        for value in expected(binding) or [None]
        if not any(
            move[:2] == (binding.parameter.address, control) and value in (None, move[2]) for move in controls.moves
        )
    ]
    assert silent == []


def is_midi(path: Path) -> bool:
    return load_mapping(path)[0].devices[0] not in OWN_DEVICES


@pytest.mark.parametrize("path", [path for path in FILES if is_midi(path)], ids=lambda path: path.stem)
def test_every_control_of_a_controller_plays_through_a_real_port(path, plug):
    mapping, problems = load_mapping(path)
    assert problems == ()
    controls = Recorder()
    midi = MidiInput(Router(controls, [mapping]), look_every_s=0.05)
    name = "any box" if mapping.is_for_any_device else mapping.devices[0]
    box = plug(name)
    midi.start()
    wait_until(lambda: f"{name}:slider" in midi.status.devices)
    messages = [
        message(control, number) for control, bindings in mapping.controls.items() for number in positions(bindings[0])
    ]
    for first in range(0, len(messages), BATCH):
        for sent in messages[first : first + BATCH]:
            box.send(*sent)
        mark = first // BATCH % 128
        box.send(0xBF, 119, mark)
        wait_until(lambda mark=mark: hears_mark(midi, mark))
    midi.stop()
    check(mapping, controls)


def hears_mark(midi: MidiInput, mark: int) -> bool:
    event = midi.router.last_event
    return event is not None and event.control == "cc/16/119" and round(event.value * 127) == mark


@pytest.mark.parametrize("path", [path for path in FILES if not is_midi(path)], ids=lambda path: path.stem)
def test_every_line_for_keys_sound_and_foreign_osc_plays(path):
    mapping, problems = load_mapping(path)
    assert problems == ()
    controls = Recorder()
    router = Router(controls, [mapping])
    for control in mapping.controls:
        for value in (0.0, 1.0, 0.0):
            router.handle(ControlEvent(mapping.devices[0], control, value, 0))
    check(mapping, controls)


class Wire:
    """An output that keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def close(self) -> None:
        pass


def light_up(light: Light, controls: Controls) -> bytes:
    """Bring about what a light shows; return the message that must go out."""
    if light.parameter is None:
        return light.message(light.on)
    address = light.parameter.address
    if light.parameter.kind == "trigger":
        controls.trigger(address, "panel")
    elif light.value is not None:
        controls.set(address, light.value, "panel")
    elif light.parameter.kind == "choice":
        controls.set(address, light.parameter.choices[-1], "panel")
    else:
        controls.set(address, light.parameter.maximum if light.parameter.maximum is not None else True, "panel")
    return light.message((127,) if light.style == "ring" else light.on)


@pytest.mark.parametrize(
    "path", [path for path in FILES if load_mapping(path)[0].feedback.lights], ids=lambda p: p.stem
)
def test_every_light_comes_on_when_what_it_shows_does(path):
    mapping, _ = load_mapping(path)
    lights = mapping.feedback.lights
    controls = Controls(ParameterStore(), CommandQueue())
    outputs, wire = MidiOutputs(), Wire()
    outputs.add("port", mapping.devices[0], wire)
    feedback = MidiFeedback(Router(controls, [mapping]), controls, outputs)
    wanted = [light_up(light, controls) for light in lights if light.value is None]
    start_ns = time.monotonic_ns()  # triggers flash for a fifth of a second: all ticks come at once
    feedback.tick(start_ns - SETTLE_NS)
    for _ in range(20):
        feedback.tick(start_ns)
    assert [message.hex(" ") for message in wanted if message not in wire.sent] == []
    for light in lights:
        if light.value is not None:
            lit = light_up(light, controls)
            for _ in range(3):
                feedback.tick(start_ns)
            assert lit in wire.sent
    assert wire.sent[: len(mapping.feedback.start)] == list(mapping.feedback.start)


def test_the_known_controllers_ship_with_lights_for_what_they_press():
    shipped = {path.stem: load_mapping(path)[0] for path in FILES}
    assert shipped.keys() >= SIX_CONTROLLERS
    assert shipped.keys() >= {"keyboard", "osc", "audio", "first_light"}
    for name in SIX_CONTROLLERS:
        played = {b.parameter.address for bindings in shipped[name].controls.values() for b in bindings}
        wanted = {"/vj/prompt/1/go", "/vj/look/1/recall", "/vj/cut/hard", "/vj/output/blackout", "/vj/clock/tap"}
        assert wanted | {"/vj/cue/go"} <= played, name
        assert shipped[name].feedback.lights, name
        assert shipped[name].name and not shipped[name].is_for_any_device
