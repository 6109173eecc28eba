"""MIDI through real ports of a JACK server, and computers without MIDI."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.servers.midi_box import wait_until
from vj.commands import CommandQueue
from vj.controllers.mapping import load_mappings
from vj.controllers.midi import MidiInput
from vj.controllers.midi_drivers import MidiUnavailableError, OnBytes, OpenOutput, OpenPort
from vj.controllers.midi_ports import RtMidiPorts, choose_api, device_name
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore

LOOK_EVERY_S = 0.05
DRUMS = "drums lights:in"


@pytest.fixture
def desk(tmp_path) -> Iterator[tuple[MidiInput, Controls]]:
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


def test_a_fader_and_a_pad_play_through_a_real_port(plug, desk):
    midi, controls = desk
    box = plug("nanoKONTROL2")
    midi.start()
    wait_until(lambda: "nanoKONTROL2:slider" in midi.status.devices)
    box.send(0xB0, 5, 127)
    wait_until(lambda: controls.store.get("/vj/prompt/2/weight") == 1.0)
    box.send(0x99, 36, 1)
    box.send(0x89, 36, 0)
    box.send(0xB0, 5, 0)
    wait_until(lambda: controls.store.get("/vj/prompt/2/weight") == 0.0)
    assert [command.name for command in controls.commands.take()] == ["cut/hard"]


def test_a_fast_fader_keeps_its_last_value(plug, desk):
    midi, controls = desk
    box = plug("nanoKONTROL2")
    midi.start()
    wait_until(lambda: "nanoKONTROL2:slider" in midi.status.devices)
    for k in range(300):
        box.send(0xB0, 5, k % 127)
        if k % 4 == 0:  # the sender's own buffer holds 256 bytes a period
            time.sleep(0.005)
    time.sleep(0.05)
    box.send(0xB0, 5, 127)
    wait_until(lambda: controls.store.get("/vj/prompt/2/weight") == 1.0)


def test_a_controller_plugged_in_later_plays_and_comes_back_by_name(plug, desk):
    midi, controls = desk
    midi.start()
    wait_until(lambda: midi.status.problem == "")
    plug("another box")  # opened too, and plays nothing
    for value in (127, 64):
        box = plug("nanoKONTROL2")
        wait_until(lambda: {"another box:slider", "nanoKONTROL2:slider"} <= set(midi.status.devices))
        box.send(0xB0, 5, value)
        wait_until(lambda value=value: controls.store.get("/vj/prompt/2/weight") == value / 127)
        box.unplug()
        wait_until(lambda: "nanoKONTROL2:slider" not in midi.status.devices)


def test_clock_start_and_time_code_reach_the_listeners_with_device_and_time(plug, desk):
    midi, _ = desk
    heard = []
    midi.listen_system(lambda device, message, time_ns: heard.append((bytes(message), device, time_ns)))
    box = plug("sequencer")
    midi.start()
    wait_until(lambda: "sequencer:slider" in midi.status.devices)
    before_ns = time.monotonic_ns()
    sent = [b"\xfa", b"\xf8", b"\xf1\x23", b"\xf0\x7f\x7f\x01\x01\x01\x02\x03\x04\xf7", b"\xfc"]
    for message in sent:
        box.send(*message)
    wait_until(lambda: len(heard) == len(sent))
    assert [message for message, _, _ in heard] == sent
    assert {device for _, device, _ in heard} == {"sequencer:slider"}
    assert all(before_ns <= time_ns <= time.monotonic_ns() for _, _, time_ns in heard)


def test_outputs_are_opened_too_and_take_whole_messages(plug, desk):
    midi, _ = desk
    box = plug("drums")
    midi.start()
    wait_until(lambda: DRUMS in midi.status.outputs)
    time.sleep(0.1)  # a port just opened loses what is sent too soon
    midi.outputs.send(b"\xf8")
    midi.outputs.send_to(DRUMS, b"\xf0\x01\x02\xf7")
    midi.outputs.send_to("nobody", b"\xfa")
    wait_until(lambda: box.received() == [b"\xf8", b"\xf0\x01\x02\xf7"])
    first = midi.outputs.connections[DRUMS]
    box.unplug()
    wait_until(lambda: DRUMS not in midi.status.outputs)
    midi.outputs.send(b"\xf8")
    plug("drums")
    wait_until(lambda: DRUMS in midi.status.outputs)
    assert midi.outputs.connections[DRUMS] != first


RESTART = """
import os, rtmidi, sys, tempfile, time
from pathlib import Path
from tests.servers.jack import JackServer
from tests.servers.midi_box import MidiBox, wait_until
from vj.commands import CommandQueue
from vj.controllers.mapping import load_mappings
from vj.controllers.midi import MidiInput
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore

def plugs_in(boxes):
    # libjack refuses one thread while another has just found the server gone
    try:
        boxes.append(MidiBox("box"))
    except rtmidi.SystemError:
        time.sleep(0.3)
    return bool(boxes)

folder = Path(tempfile.mkdtemp())
line = '"cc/1/5" = { parameter = "/vj/output/level", takeover = "jump" }'
(folder / "box.toml").write_text('device = "box"\\n[controls]\\n' + line)
controls = Controls(ParameterStore(), CommandQueue())
midi = MidiInput(Router(controls, load_mappings([folder / "box.toml"])[0]), look_every_s=0.05)
for round_ in range(2):
    with JackServer(folder) as server:
        os.environ.update(server.env)
        if not round_:
            midi.start()
        # two threads of one process must not find out at once that a server is another one: libjack hangs for a while
        wait_until(lambda: midi.status.problem == "", 40.0)
        boxes = []
        wait_until(lambda: plugs_in(boxes))
        box = boxes[0]
        wait_until(lambda: midi.status.devices == ("box:slider",) and len(midi.status.outputs) == 1)
        box.send(0xB0, 5, 40 + round_)
        wait_until(lambda: controls.store.get("/vj/output/level") == (40 + round_) / 127)
        time.sleep(0.1)
        midi.outputs.send(b"\\xf8")
        wait_until(lambda: box.received() == [b"\\xf8"])
        box.unplug()
    wait_until(lambda: midi.status.devices == () and midi.status.problem != "")
midi.stop()
print("played twice")
"""


def test_a_restarted_jack_server_plays_again(jack):
    # a process of its own: libjack mixes up the clients of two servers in one
    done = subprocess.run([sys.executable, "-c", RESTART], capture_output=True, text=True, timeout=60)
    assert "played twice" in done.stdout, done.stderr


class NoPorts:
    """A computer whose driver fails."""

    def names(self) -> list[str]:
        raise MidiUnavailableError("no driver today")

    def output_names(self) -> list[str]:
        return []

    def open(self, name: str, on_bytes: OnBytes) -> OpenPort:
        raise AssertionError(f"{name} was never listed")

    def open_output(self, name: str) -> OpenOutput:
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
