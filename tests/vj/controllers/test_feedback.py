"""Lights of a controller through a real port: what changes is sent, once, refreshed at plugging, out at the end."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers.midi_box import MidiBox, wait_until
from vj.commands import CommandQueue
from vj.controllers.feedback import BYTES_PER_TICK, RATE_HZ, MidiFeedback
from vj.controllers.mapping import load_mappings
from vj.controllers.midi import MidiInput
from vj.controllers.router import Router
from vj.controls import Controls
from vj.parameters import ParameterStore

FILE = """
device = "box"
[controls]
"note/1/1" = { parameter = "/vj/prompt/1/solo" }
"note/1/2" = { parameter = "/vj/seed/value", value = 4 }
"note/1/3" = { command = "/vj/cut/soft" }
"cc/1/16" = { parameter = "/vj/seed/morph", takeover = "jump" }
[feedback]
start = ["F0 01 02 F7"]
end = ["F0 01 03 F7"]
on = 127
[feedback.lights]
"note/1/1" = {}
"note/1/2" = {}
"note/1/3" = { on = 5, off = 1 }
"note/1/4" = { shows = "/vj/prompt/2/weight", ready = "/vj/prompt/2/text", on = 21, dim = 7 }
"cc/1/16" = { style = "ring" }
"sysex/F0 02 {value} F7" = { shows = "/vj/output/blackout", on = [1, 2, 3], off = 9 }
"""
SOLO, SEED, CUT, PAD, RING = (0x90, 1), (0x90, 2), (0x90, 3), (0x90, 4), (0xB0, 16)


class Show:
    """A controller, the instrument's values, and the lights between them."""

    def __init__(self, plug: Callable[[str], MidiBox], router: Router, controls: Controls) -> None:
        self.plug, self.controls, self.router = plug, controls, router
        self.midi = MidiInput(router, look_every_s=0.05)
        self.lights = MidiFeedback(router, controls, self.midi.outputs)
        self.box = plug("box")
        self.midi.start()
        self.lights.start()

    def shows(self, place: tuple[int, int], level: int) -> bool:
        """Whether the last message to a light is this level."""
        sent = [message[2] for message in self.box.received() if tuple(message[:2]) == place]
        return sent[-1:] == [level]

    def stop(self) -> None:
        self.lights.stop()
        self.midi.stop()


@pytest.fixture
def show(plug, tmp_path, monkeypatch) -> Iterator[Show]:
    monkeypatch.setattr("vj.controllers.feedback.AGAIN_NS", 400_000_000)
    path = tmp_path / "box.toml"
    path.write_text(FILE)
    mappings, problems = load_mappings([path])
    assert problems == ()
    controls = Controls(ParameterStore(), CommandQueue())
    show = Show(plug, Router(controls, mappings), controls)
    wait_until(lambda: show.box.received().count(b"\xf0\x01\x02\xf7") == 2)
    wait_until(lambda: show.shows(RING, 0) and show.shows(PAD, 0))
    yield show
    show.stop()


def test_lights_follow_the_values_whoever_moves_them(show):
    assert show.box.received()[0] == b"\xf0\x01\x02\xf7"
    assert all([show.shows(SOLO, 0), show.shows(SEED, 0), show.shows(CUT, 1)])
    show.controls.set_many({"/vj/prompt/1/solo": True, "/vj/seed/value": 4, "/vj/seed/morph": 0.5}, "look sea")
    wait_until(lambda: show.shows(SOLO, 127) and show.shows(SEED, 127) and show.shows(RING, 64))
    show.controls.set("/vj/prompt/2/text", "snow", "panel")
    wait_until(lambda: show.shows(PAD, 7))
    show.controls.set("/vj/prompt/2/weight", 0.5, "panel")
    wait_until(lambda: show.shows(PAD, 21))
    show.controls.trigger("/vj/cut/soft", "panel")
    wait_until(lambda: show.shows(CUT, 5))
    wait_until(lambda: show.shows(CUT, 1))
    show.controls.set("/vj/output/blackout", True, "panel")
    wait_until(lambda: b"\xf0\x02\x01\x02\x03\xf7" in show.box.received())


def test_only_changes_are_sent(show):
    wait_quiet(show)
    show.box.forget()
    for k in range(50):
        show.controls.set("/vj/effect/hue", float(k), "panel")
        show.controls.set("/vj/prompt/1/solo", False, "panel")
        time.sleep(0.005)
    assert show.box.received() == []


def test_a_flood_of_changes_is_sent_at_a_bounded_rate_and_ends_right(show):
    show.box.forget()
    began_s = time.monotonic()
    for k in range(400):
        show.controls.set_many({"/vj/prompt/1/solo": k % 2 == 0, "/vj/seed/morph": k / 399}, "panel")
        time.sleep(0.001)
    wait_until(lambda: show.shows(RING, 127) and show.shows(SOLO, 0))
    sent = sum(len(message) for message in show.box.received())
    assert sent <= (time.monotonic() - began_s + 1.0) * RATE_HZ * BYTES_PER_TICK
    assert len(show.box.received()) <= 2 * ((time.monotonic() - began_s) * RATE_HZ + 2)


def wait_quiet(show):
    """Wait until the first lighting of everything has arrived."""
    count = -1
    while count != len(show.box.received()):
        count = len(show.box.received())
        time.sleep(0.3)


def test_a_ring_does_not_fight_the_hand_that_turns_it(show):
    wait_quiet(show)
    show.box.forget()
    show.box.send(0xB0, 16, 60)
    wait_until(lambda: show.controls.store.get("/vj/seed/morph") == 60 / 127)
    time.sleep(0.15)
    assert show.box.received() == []
    wait_until(lambda: show.shows(RING, 60))
    show.controls.set("/vj/seed/morph", 1.0, "look sea")
    wait_until(lambda: show.shows(RING, 127))
    assert show.router.touch("box:slider", "cc/1/16").position == 1.0, "the encoder counts on from its ring"


def test_a_button_that_lights_itself_is_corrected(show):
    show.box.forget()
    show.box.send(0x90, 2, 127)
    wait_until(lambda: show.shows(SEED, 127))
    show.box.forget()
    show.box.send(0x80, 2, 0)
    wait_until(lambda: show.shows(SEED, 127))


def test_a_controller_that_comes_back_is_lit_again(show):
    show.controls.set("/vj/seed/value", 4, "panel")
    wait_until(lambda: show.shows(SEED, 127))
    show.box.unplug()
    wait_until(lambda: "box lights:in" not in show.midi.status.outputs)
    show.box = show.plug("box")
    wait_until(lambda: show.shows(SEED, 127) and show.shows(CUT, 1))
    assert show.box.received()[0] == b"\xf0\x01\x02\xf7"


def test_a_light_goes_with_what_its_button_learns_and_out_when_it_plays_nothing(show, tmp_path):
    show.box.send(0x90, 2, 0)
    wait_until(lambda: "box:slider" in show.router.devices)
    learned = tmp_path / "learned_box.toml"
    for line, value in (('{ parameter = "/vj/output/blackout" }', True), ("[]", False)):
        learned.write_text(f'device = "box:slider"\noverlay = true\n[controls]\n"note/1/2" = {line}\n')
        show.controls.set("/vj/output/blackout", value, "panel")
        show.router.use([show.router.mappings[0], *load_mappings([learned])[0]])
        wait_until(lambda value=value: show.shows(SEED, 127 if value else 0))
    assert show.box.received().count(b"\xf0\x01\x02\xf7") == 2, "what the controller was told at first holds"


def test_all_lights_are_out_at_the_end(show):
    show.controls.set("/vj/seed/value", 4, "panel")
    wait_until(lambda: show.shows(SEED, 127))
    show.lights.stop()
    wait_until(lambda: show.box.received()[-1:] == [b"\xf0\x01\x03\xf7"])
    assert all(show.shows(place, 0) for place in (SOLO, SEED, CUT, PAD, RING))


def test_a_beat_light_is_brighter_on_the_first_of_a_bar(plug, tmp_path):
    path = tmp_path / "box.toml"
    path.write_text('device = "box"\n[feedback.lights]\n"note/1/9" = { shows = "beat", on = 9, dim = 3 }\n')
    mappings, problems = load_mappings([path])
    assert problems == ()
    controls = Controls(ParameterStore(), CommandQueue())
    midi = MidiInput(Router(controls, mappings), look_every_s=0.05)
    lights = MidiFeedback(Router(controls, mappings), controls, midi.outputs, lambda time_ns: time_ns / 1e9)
    box = plug("box")
    midi.start()
    wait_until(lambda: "box lights:in" in midi.status.outputs)
    lights.tick(round(3.9e9))
    for beat in (8.1, 8.5, 9.1, 9.5, 12.1):
        lights.tick(round(beat * 1e9))
        time.sleep(0.02)
    wait_until(lambda: [message[2] for message in box.received()][-5:] == [9, 0, 3, 0, 9])
    midi.stop()
