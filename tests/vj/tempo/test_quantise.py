"""Commands that wait for the beat, from every hand; what a panel sees of them; what does not wait."""

from __future__ import annotations

import pytest

from engine.messages import GeneratorStatus
from vj.commands import CommandQueue
from vj.controls import Controls, Press
from vj.output.playback import PlaybackStatus
from vj.parameters import ParameterStore
from vj.tempo.clock import Clock
from vj.tempo.latency import Latency, measure_latency
from vj.tempo.quantise import SENT_AHEAD_S, Quantiser

SECOND_NS = 1_000_000_000
START_NS = 100 * SECOND_NS
SOURCES = ("panel", "osc 127.0.0.1", "midi nanoKONTROL2 cc/1/41", "key", "cue list")
ACTIONS = ("/vj/seed/next", "/vj/look/3/recall", "/vj/cue/go", "/vj/cue/back", "/vj/prompt/2/go")


class Stage:
    """The one door with a quantiser behind it, on a pretended time; beats are whole at whole half seconds."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.clock = Clock(self.controls, lambda: self.now_ns)
        self.latency = Latency(cut_s=0.9, fill_s=0.4, buffered_s=9.0, value_s=0.7, jump_s=0.7)
        self.quantiser = Quantiser(self.controls, self.clock, lambda: self.latency)
        self.controls.wait_at(lambda press: self.quantiser.hold(press, self.now_ns))
        self.fired: list[tuple[float, Press]] = []
        for address in ACTIONS:
            self.controls.answer(address, lambda press: self.fired.append((self.seconds, press)))

    @property
    def seconds(self) -> float:
        return (self.now_ns - START_NS) / SECOND_NS

    def quantise(self, step: str) -> None:
        self.controls.set("/vj/clock/quantise", step, "panel")

    def run(self, seconds: float) -> list[tuple[float, float]]:
        """Let time pass; return when engine commands were sent and when they are to be seen, in seconds."""
        sent = []
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += SECOND_NS // 100
            self.clock.tick(self.now_ns)
            self.quantiser.tick(self.now_ns)
            for command in self.controls.commands.take():
                at_s = None if command.at_ns is None else round((command.at_ns - START_NS) / SECOND_NS, 6)
                sent.append((self.seconds, at_s))
        return sent


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_off_lets_everything_pass_at_once(stage: Stage):
    assert stage.controls.trigger("/vj/cut/hard", "panel").at_ns is None
    stage.controls.trigger("/vj/seed/next", "panel")
    assert len(stage.fired) == 1
    assert stage.quantiser.pending == ()


def test_a_cue_that_brings_a_hard_cut_is_sent_as_early_as_the_cut(stage: Stage):
    stage.quantiser.lead_by(lambda address: "/vj/cut/hard" if address == "/vj/cue/go" else "")
    stage.quantise("beat")
    stage.run(0.23)
    stage.controls.trigger("/vj/cue/go", "panel")
    stage.controls.trigger("/vj/cue/back", "panel")
    stage.run(3)
    (back_s, _), (go_s, go) = sorted(stage.fired, key=lambda fired: fired[1].address)
    assert back_s == pytest.approx(0.5, abs=0.011)
    assert go.at_ns == START_NS + 3 * SECOND_NS // 2
    assert 1.5 - go_s == pytest.approx(0.9 + SENT_AHEAD_S, abs=0.011)


@pytest.mark.parametrize("source", SOURCES)
def test_a_cut_from_any_hand_is_sent_ahead_of_the_first_boundary_it_can_meet(stage: Stage, source):
    stage.quantise("beat")
    stage.run(0.23)
    assert stage.controls.trigger("/vj/cut/hard", source) is None
    (waiting,) = stage.quantiser.pending
    assert (waiting.address, waiting.source, waiting.is_sent) == ("/vj/cut/hard", source, False)
    assert waiting.lands_ns == START_NS + 3 * SECOND_NS // 2  # 0.23 + 0.95 is too near to 1.0
    ((sent_s, lands_s),) = stage.run(3)
    assert lands_s == 1.5
    assert lands_s - sent_s == pytest.approx(0.9 + SENT_AHEAD_S, abs=0.011)
    assert stage.quantiser.pending == ()


@pytest.mark.parametrize(("step", "lands_s"), [("beat", 1.5), ("bar", 2.0), ("2 bars", 4.0), ("4 bars", 8.0)])
def test_every_step_lands_on_its_boundary(stage: Stage, step, lands_s):
    stage.quantise(step)
    stage.run(0.3)
    stage.controls.trigger("/vj/cut/hard", "panel")
    assert stage.run(9)[0][1] == lands_s


@pytest.mark.parametrize("address", ["/vj/look/3/recall", "/vj/cue/go", "/vj/cue/back"])
def test_what_the_instrument_does_itself_fires_at_the_boundary(stage: Stage, address):
    stage.quantise("bar")
    stage.run(0.3)
    stage.controls.trigger(address, "osc")
    stage.run(3)
    ((fired_s, press),) = stage.fired
    assert fired_s == pytest.approx(2.0, abs=0.011)
    assert press == Press(address, "osc", START_NS + 2 * SECOND_NS)


@pytest.mark.parametrize("address", ["/vj/seed/next", "/vj/prompt/2/go"])
def test_what_the_next_chunk_is_made_with_is_set_ahead(stage: Stage, address):
    stage.quantise("bar")
    stage.run(0.3)
    stage.controls.trigger(address, "osc")
    stage.run(3)
    assert stage.fired[0][0] == pytest.approx(2.0 - 0.7, abs=0.011)


def test_pressing_again_while_it_waits_is_one_cut(stage: Stage):
    stage.quantise("bar")
    for _ in range(3):
        stage.controls.trigger("/vj/cut/hard", "panel")
        stage.run(0.4)
    assert len(stage.quantiser.pending) == 1
    assert len(stage.run(4)) <= 1
    assert stage.quantiser.pending == ()


def test_a_waiting_press_can_be_taken_back_until_it_is_sent(stage: Stage):
    stage.quantise("bar")
    stage.run(0.1)
    stage.controls.trigger("/vj/cut/hard", "panel")
    assert stage.quantiser.cancel("/vj/cut/hard")
    assert not stage.quantiser.cancel("/vj/cut/hard")
    assert stage.run(3) == []
    stage.controls.trigger("/vj/cut/hard", "panel")
    assert len(stage.run(2.2)) == 1
    assert stage.quantiser.pending[0].is_sent
    assert not stage.quantiser.cancel("/vj/cut/hard")


def test_a_timeline_and_what_has_a_time_of_its_own_do_not_wait(stage: Stage):
    stage.quantise("4 bars")
    assert stage.controls.trigger("/vj/cut/hard", "timeline opening").at_ns is None
    assert stage.controls.trigger("/vj/cut/hard", "panel", at_ns=17).at_ns == 17


@pytest.mark.parametrize("address", ["/vj/clock/tap", "/vj/show/save", "/vj/look/1/save", "/vj/timeline/stop"])
def test_what_is_no_picture_does_not_wait(stage: Stage, address):
    stage.quantise("4 bars")
    stage.controls.trigger(address, "panel")
    assert stage.quantiser.pending == ()


def test_what_an_action_presses_in_its_turn_has_waited_already(stage: Stage):
    stage.quantise("bar")
    stage.controls.answer("/vj/cue/go", lambda press: stage.controls.trigger("/vj/look/3/recall", "cue 1"))
    stage.run(0.3)
    stage.controls.trigger("/vj/cue/go", "panel")
    stage.run(1.9)
    assert [press.address for _, press in stage.fired] == ["/vj/look/3/recall"]
    assert stage.fired[0][0] == pytest.approx(2.0, abs=0.011)


def test_a_generator_that_slows_down_puts_the_cut_off_to_the_next_boundary(stage: Stage):
    stage.quantise("bar")
    stage.run(0.3)
    stage.controls.trigger("/vj/cut/hard", "panel")
    stage.latency = Latency(cut_s=2.5, buffered_s=9.0)
    ((sent_s, lands_s),) = stage.run(6)
    assert lands_s == 4.0
    assert sent_s <= 1.5


def test_a_thin_buffer_is_filled_before_the_cut(stage: Stage):
    stage.latency = Latency(cut_s=0.9, fill_s=0.4, buffered_s=0.5)
    stage.quantise("beat")
    stage.run(0.02)
    stage.controls.trigger("/vj/cut/hard", "panel")
    ((sent_s, lands_s),) = stage.run(3)
    assert lands_s == 1.5
    assert lands_s - sent_s == pytest.approx(1.3 + SENT_AHEAD_S, abs=0.011)


def test_another_tempo_moves_what_waits_with_its_beat(stage: Stage):
    stage.quantise("4 bars")
    stage.run(0.3)
    stage.controls.trigger("/vj/look/3/recall", "panel")
    stage.controls.set("/vj/clock/bpm", 240, "panel")
    stage.run(0.1)
    assert stage.quantiser.pending[0].lands_ns == pytest.approx(START_NS + 4.155 * SECOND_NS, abs=2e7)


def test_a_resync_past_the_boundary_fires_at_once(stage: Stage):
    stage.quantise("bar")
    stage.run(0.3)
    stage.controls.trigger("/vj/look/3/recall", "panel")
    stage.controls.trigger("/vj/clock/resync", "panel")
    stage.run(0.02)
    assert len(stage.fired) == 1


def test_latency_is_what_both_statuses_say():
    generator = GeneratorStatus(generator_fps=32.0, chunk_s=0.4, cut_s=1.0)
    playback = PlaybackStatus(playback_fps=16.0, rate_fps=16.0, buffered_frames=8, shown_after_s=0.5)
    latency = measure_latency(generator, playback, chunk_frames=3)
    value_s = 0.5 + 0.4 + 0.375
    assert latency == Latency(cut_s=1.0, fill_s=0.5, buffered_s=0.5, value_s=value_s, jump_s=value_s)
    spared = measure_latency(generator, playback, chunk_frames=3, begins_anew=True)
    assert spared.jump_s == value_s - 0.375, "a chunk under way is given up for a jump"
    slow = measure_latency(GeneratorStatus(generator_fps=8.0, chunk_s=1.5, cut_s=3.8), playback, 3)
    assert slow.fill_s == 0.0, "a slow generator never has time to fill anything"
    assert measure_latency(GeneratorStatus(), PlaybackStatus(), 3) == Latency()
