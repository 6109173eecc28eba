"""MIDI clock out and back in over real ports: the tempo that arrives, its jitter, start and stop."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import pytest

from vj.commands import CommandQueue
from vj.conductor import Conductor
from vj.controllers.midi_drivers import make_driver
from vj.controllers.midi_outputs import MidiOutputs
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.tempo.clock import Clock
from vj.tempo.midi_clock import CONTINUE, START, STOP, TICK
from vj.tempo.midi_clock_out import MidiClockOutput
from vj.tempo.tempo import Tempo

SECOND_NS = 1_000_000_000


class Sent:
    """An output on a pretended time."""

    def __init__(self) -> None:
        self.now_ns = 9 * SECOND_NS
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.clock = Clock(self.controls, lambda: self.now_ns)
        self.messages: list[tuple[int, int]] = []
        self.output = MidiClockOutput(
            self.clock, lambda: True, lambda message: self.messages.append((message[0], self.now_ns))
        )

    def run(self, seconds: float) -> None:
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.clock.tick(self.now_ns)
            self.now_ns += max(1, min(self.output.advance(self.now_ns), 20_000_000))

    def count(self, status: int) -> int:
        return sum(1 for sent, _ in self.messages if sent == status)


def test_twenty_four_ticks_a_beat_and_a_start_on_the_bar():
    sent = Sent()
    sent.run(0.1)
    sent.run(8.0)
    assert sent.count(TICK) == pytest.approx(8.1 * 2 * 24, abs=2)
    assert sent.count(START) == 1
    (start_ns,) = (at for status, at in sent.messages if status == START)
    assert sent.clock.beat_at(start_ns) / 4 == pytest.approx(1.0, abs=1e-3)


def test_a_resync_starts_the_listeners_on_the_new_bar_and_a_nudge_does_not():
    sent = Sent()
    sent.run(5.3)
    sent.controls.trigger("/vj/clock/nudge/forward", "panel")
    sent.run(5)
    assert sent.count(START) == 1
    sent.controls.trigger("/vj/clock/resync", "panel")
    sent.run(5)
    assert sent.count(START) == 2
    last_start_ns = [at for status, at in sent.messages if status == START][-1]
    assert sent.clock.beat_at(last_start_ns) % 4 == pytest.approx(0.0, abs=0.01)


def test_a_machine_that_slept_sends_no_hail_of_ticks():
    sent = Sent()
    sent.run(3)
    before = sent.count(TICK)
    sent.now_ns += 5 * SECOND_NS
    sent.run(0.1)
    assert sent.count(TICK) - before < 12


class Listener:
    """Another program's MIDI input on JACK."""

    def __init__(self) -> None:
        import rtmidi

        self.heard: list[tuple[int, int]] = []
        self._port = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="sequencer")
        self._port.ignore_types(sysex=False, timing=False, active_sense=False)
        self._port.set_callback(lambda event, _: self.heard.append((event[0][0], time.monotonic_ns())))
        self._port.open_virtual_port("in")

    def close(self) -> None:
        self._port.close_port()
        self._port.delete()


@pytest.fixture
def listener(jack, monkeypatch) -> Iterator[Listener]:
    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    listener = Listener()
    yield listener
    listener.close()


def wait_for(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.02)


def test_a_sequencer_hears_the_tempo_over_a_real_port_and_so_do_we(listener: Listener):
    driver = make_driver("UNIX_JACK")
    outputs = MidiOutputs()
    name = next(name for name in driver.output_names() if "sequencer" in name)
    outputs.add(name, "sequencer", driver.open_output(name))
    controls, conductor = Controls(ParameterStore(), CommandQueue()), Conductor()
    controls.set_many({"/vj/clock/bpm": 126.0, "/vj/clock/midi_out": True}, "panel")
    tempo = Tempo(controls, conductor, send_midi=outputs.send)
    hearing = Tempo(Controls(ParameterStore(), CommandQueue()), Conductor())
    conductor.start()
    tempo.start()
    try:
        wait_for(lambda: START in [status for status, _ in listener.heard])
        wait_for(lambda: len(listener.heard) > 24 * 6)
        controls.set("/vj/clock/midi_out", False, "panel")
        wait_for(lambda: listener.heard[-1][0] == STOP)
    finally:
        conductor.stop()
        tempo.stop()
        outputs.drop(name)
        driver.close()
    for status, at_ns in listener.heard:
        hearing.hear_midi("sequencer", [status], at_ns)
    lead = hearing.midi_clock.lead(listener.heard[-1][1])
    assert lead.line.bpm == pytest.approx(126.0, rel=2e-3)
    ticks = [at_ns for status, at_ns in listener.heard if status == TICK]
    gaps_ms = [(b - a) / 1e6 for a, b in zip(ticks, ticks[1:], strict=False)]
    print(f"gaps {statistics.mean(gaps_ms):.2f} ms, deviation {statistics.pstdev(gaps_ms):.2f} ms")
    assert statistics.median(gaps_ms) == pytest.approx(60_000 / 126 / 24, abs=5.4), "one JACK period at most"


def test_a_real_sequencer_leads_through_the_ports_of_the_instrument(jack, monkeypatch):
    from tests.servers.midi_box import MidiBox
    from vj.controllers.midi import MidiInput
    from vj.controllers.router import Router

    for name, value in jack.env.items():
        monkeypatch.setenv(name, value)
    box = MidiBox("drum machine")
    controls, conductor = Controls(ParameterStore(), CommandQueue()), Conductor()
    controls.set("/vj/clock/source", "midi", "panel")
    tempo = Tempo(controls, conductor)
    midi = MidiInput(Router(controls), look_every_s=0.1)
    midi.listen_system(tempo.hear_midi)
    conductor.start()
    midi.start()
    try:
        wait_for(lambda: any("drum machine" in device for device in midi.status.devices))
        due_ns = time.monotonic_ns()
        box.send(CONTINUE)
        for _ in range(24 * 6):
            box.send(TICK)
            due_ns += 60 * SECOND_NS // 140 // 24
            time.sleep(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
        assert tempo.clock.state.source == "midi"
        assert controls.store.get("/vj/clock/bpm") == pytest.approx(140.0, rel=0.01)
        assert tempo.midi_clock.is_playing
    finally:
        midi.stop()
        conductor.stop()
        box.unplug()
