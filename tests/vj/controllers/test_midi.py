"""MIDI through real ports of a JACK server, and computers without MIDI."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from vj.commands import CommandQueue
from vj.controllers.mapping import load_mappings
from vj.controllers.midi import MidiInput
from vj.controllers.midi_ports import MidiUnavailableError, OnBytes, RtMidiPorts, choose_api, device_name
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore

LOOK_EVERY_S = 0.05


def wait_until(is_true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


class Box:
    """A controller: one output port of its own."""

    def __init__(self, name: str) -> None:
        import rtmidi

        self._port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=name)
        self._port.open_virtual_port("slider")
        self._is_plugged = True

    def send(self, *message: int) -> None:
        self._port.send_message(message)

    def unplug(self) -> None:
        if self._is_plugged:  # rtmidi crashes when a client is deleted twice
            self._is_plugged = False
            self._port.close_port()
            self._port.delete()


@pytest.fixture
def plug(jack, monkeypatch) -> Iterator[Callable[[str], Box]]:
    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    boxes: list[Box] = []

    def make(name: str) -> Box:
        boxes.append(Box(name))
        return boxes[-1]

    yield make
    for box in boxes:
        box.unplug()


@pytest.fixture
def rig(tmp_path) -> Iterator[tuple[MidiInput, Controls]]:
    path = tmp_path / "korg.toml"
    path.write_text(
        'device = "nanoKONTROL2"\n[controls]\n"cc/1/5" = { parameter = "/vj/prompt/2/weight", takeover = "jump" }\n'
        '"note/10/36" = { command = "/vj/cut/hard" }\n'
    )
    mappings, problems = load_mappings([path])
    assert problems == ()
    controls = Controls(ParameterStore(), CommandQueue())
    midi = MidiInput(Router(controls, mappings), look_every_s=LOOK_EVERY_S)
    yield midi, controls
    midi.stop()


def test_a_fader_and_a_pad_play_through_a_real_port(plug, rig):
    midi, controls = rig
    box = plug("nanoKONTROL2")
    midi.start()
    wait_until(lambda: midi.status.devices == ("nanoKONTROL2:slider",))
    box.send(0xB0, 5, 127)
    wait_until(lambda: controls.store.get("/vj/prompt/2/weight") == 1.0)
    box.send(0x99, 36, 1)
    box.send(0x89, 36, 0)
    box.send(0xB0, 5, 0)
    wait_until(lambda: controls.store.get("/vj/prompt/2/weight") == 0.0)
    assert [command.name for command in controls.commands.take()] == ["cut/hard"]


def test_a_fast_fader_keeps_its_last_value(plug, rig):
    midi, controls = rig
    box = plug("nanoKONTROL2")
    midi.start()
    wait_until(lambda: bool(midi.status.devices))
    for k in range(300):
        box.send(0xB0, 5, k % 127)
        if k % 4 == 0:  # the sender's own buffer holds 256 bytes a period
            time.sleep(0.005)
    time.sleep(0.05)
    box.send(0xB0, 5, 127)
    wait_until(lambda: controls.store.get("/vj/prompt/2/weight") == 1.0)


def test_a_controller_plugged_in_later_plays_and_comes_back_by_name(plug, rig):
    midi, controls = rig
    midi.start()
    wait_until(lambda: midi.status.problem == "")
    plug("another box")
    for value in (127, 64):
        box = plug("nanoKONTROL2")
        wait_until(lambda: midi.status.devices == ("nanoKONTROL2:slider",))
        box.send(0xB0, 5, value)
        wait_until(lambda value=value: controls.store.get("/vj/prompt/2/weight") == value / 127)
        box.unplug()
        wait_until(lambda: midi.status.devices == ())


class NoPorts:
    """A computer whose driver fails."""

    def names(self) -> list[str]:
        raise MidiUnavailableError("no driver today")

    def open(self, name: str, on_bytes: OnBytes) -> None:
        raise AssertionError(f"{name} was never listed")

    def close(self) -> None:
        pass


def test_no_midi_is_a_sentence_and_not_an_error():
    midi = MidiInput(Router(Controls(ParameterStore(), CommandQueue())), NoPorts(), LOOK_EVERY_S)
    midi.start()
    wait_until(lambda: midi.status.problem == "no driver today")
    midi.stop()


def test_a_driver_that_does_not_answer_is_a_sentence(monkeypatch):
    monkeypatch.setenv("MIDO_BACKEND", "mido.backends.rtmidi/UNKNOWN_API")
    with pytest.raises(MidiUnavailableError, match="none of LINUX_ALSA"):
        RtMidiPorts().names()


def test_a_machine_without_midi_writes_nothing_to_the_terminal():
    code = (
        "import time; from vj.controllers.midi import MidiInput; from vj.controllers.router import Router\n"
        "from vj.controls import Controls; from vj.commands import CommandQueue\n"
        "from vj.parameters import ParameterStore\n"
        "midi = MidiInput(Router(Controls(ParameterStore(), CommandQueue())), look_every_s=0.05)\n"
        "midi.start(); time.sleep(0.3); print(midi.status.problem); midi.stop()\n"
    )
    env = dict(os.environ, MIDO_BACKEND="mido.backends.rtmidi/UNIX_JACK", JACK_DEFAULT_SERVER="vj_no_such_server")
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "no JACK server runs" in done.stdout


def test_the_driver_follows_the_environment_and_the_platform(tmp_path, monkeypatch):
    monkeypatch.setattr("vj.controllers.midi_ports.ALSA_SEQUENCER", tmp_path / "seq")
    monkeypatch.setattr("vj.controllers.midi_ports.JACK_SOCKETS", tmp_path)
    assert choose_api({}, "darwin") == choose_api({}, "win32") == "UNSPECIFIED"
    assert choose_api({"MIDO_BACKEND": "mido.backends.rtmidi/LINUX_ALSA"}, "linux") == "LINUX_ALSA"
    with pytest.raises(MidiUnavailableError, match="neither .*seq nor a JACK server"):
        choose_api({}, "linux")
    (tmp_path / "jack_stage_0_0").touch()
    assert choose_api({"JACK_DEFAULT_SERVER": "stage"}, "linux") == "UNIX_JACK"
    (tmp_path / "seq").touch()
    assert choose_api({"JACK_DEFAULT_SERVER": "stage"}, "linux") == "LINUX_ALSA"


def test_alsa_numbers_are_no_part_of_a_name():
    assert device_name("nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0") == "nanoKONTROL2:nanoKONTROL2 MIDI 1"
    assert device_name("pads:out") == "pads:out"
