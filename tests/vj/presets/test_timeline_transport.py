"""The transport: seconds by themselves, beats by the clock, stop and rewind, and time code chased."""

import pytest

from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.presets.prompt_mixing import text_address
from vj.presets.recall import Recall
from vj.presets.timeline import Timeline, TimelineCue
from vj.presets.timeline_transport import TimelineTransport
from vj.presets.transitions import Transitions

SECOND_NS = 1_000_000_000
HUE, SEED, LEVEL = "/vj/effect/hue", "/vj/seed/value", "/vj/output/level"


class Stage:
    """Transport and transitions on a clock and a tempo that the test moves by hand."""

    def __init__(self, *cues: TimelineCue, **kind: object) -> None:
        self.now_ns, self.beat, self.bpm = 0, 0.0, 120.0
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.transitions = Transitions(self.controls, self.beat_at, lambda: self.now_ns)
        recall = Recall(self.controls, self.transitions, lambda: self.bpm)
        self.transport = TimelineTransport(recall, self.beat_at, lambda: self.now_ns)
        self.transport.load(Timeline("t", cues, **kind))

    def beat_at(self, at_ns: int) -> float:
        return self.beat + (at_ns - self.now_ns) / SECOND_NS * self.bpm / 60.0

    def get(self, address: str):
        return self.controls.store.get(address)

    def wait(self, seconds: float) -> None:
        self.beat = self.beat_at(self.now_ns + round(seconds * SECOND_NS))
        self.now_ns += round(seconds * SECOND_NS)
        self.transport.tick(self.now_ns)
        self.transitions.tick(self.now_ns)

    def press(self, name: str) -> None:
        self.controls.trigger(f"/vj/timeline/{name}", "osc")


class Master:
    """A time code that stands where the test puts it."""

    def __init__(self) -> None:
        self.at_s, self.is_moving = 0.0, False

    def position_s(self, now_ns: int) -> float | None:
        return self.at_s

    def is_running(self, now_ns: int) -> bool:
        return self.is_moving


CUES = (
    TimelineCue(0.0, {HUE: 10.0, text_address(1): "a"}),
    TimelineCue(2.0, {SEED: 5}, cut="hard"),
    TimelineCue(4.0, {HUE: 50.0}, fade=2.0),
)


def test_play_stop_and_rewind():
    stage = Stage(*CUES, seed=3)
    stage.wait(9.0)
    assert stage.get(HUE) == 0.0, "it stands until it is played"
    stage.press("play")
    stage.wait(0.0)
    assert (stage.get(HUE), stage.get(SEED), stage.transport.status.cue) == (10.0, 3, 1)
    stage.wait(1.5)
    stage.press("stop")
    stage.wait(5.0)
    assert stage.transport.status.position == pytest.approx(1.5)
    stage.press("play")
    stage.wait(0.6)
    assert stage.get(SEED) == 5
    assert [command.name for command in stage.controls.commands.take()] == ["prompt/text", "cut/hard"]
    stage.press("rewind")
    stage.wait(0.1)
    assert (stage.get(SEED), stage.transport.status.is_playing) == (3, True)
    stage.wait(4.0)
    stage.wait(0.9)
    assert stage.get(HUE) == pytest.approx(10.0 + 40.0 * 0.45, abs=0.5)
    stage.wait(5.0)
    assert (stage.get(HUE), stage.transport.status.is_playing) == (50.0, False)
    stage.press("play")
    stage.wait(0.1)
    assert (stage.get(HUE), stage.transport.status.position) == (10.0, pytest.approx(0.1))


def test_it_touches_nothing_it_does_not_name_and_nothing_that_is_locked():
    stage = Stage(*CUES)
    stage.controls.set(LEVEL, 0.5, "panel")
    stage.controls.set("/vj/lock/seed", True, "panel")
    stage.press("play")
    stage.wait(3.0)
    assert stage.controls.moved_by(LEVEL).source == "panel"
    assert stage.get(SEED) == 0


def test_beats_follow_the_clock_whatever_the_files_own_tempo():
    stage = Stage(
        TimelineCue(0.0, {SEED: 1}), TimelineCue(2.0, {SEED: 2}), TimelineCue(3.0, {SEED: 3}), unit="bars", tempo_bpm=60
    )
    stage.press("play")
    stage.wait(3.9)
    assert stage.get(SEED) == 1
    stage.wait(0.1)
    assert stage.get(SEED) == 2
    stage.bpm = 60.0
    stage.wait(3.0)
    assert (stage.get(SEED), stage.transport.status.position) == (2, pytest.approx(2.75))
    stage.wait(1.0)
    assert stage.get(SEED) == 3


def test_it_waits_for_the_first_frame_with_its_first_cue_set():
    stage = Stage(*CUES)
    frames = []
    stage.transport.play_when(lambda: bool(frames))
    stage.wait(30.0)
    assert (stage.get(HUE), stage.get(SEED)) == (10.0, 0)
    frames.append(1)
    stage.wait(0.0)
    stage.wait(2.0)
    assert stage.get(SEED) == 5


def test_a_place_is_reached_as_if_played_up_to_it():
    stage = Stage(*CUES)
    stage.transport.locate(5.0)
    assert (stage.get(HUE), stage.get(SEED), stage.transport.status.cue) == (50.0, 5, 3)
    stage.transport.locate(1.0)
    assert (stage.get(HUE), stage.transport.status.cue) == (10.0, 1)


def test_time_code_is_chased_and_jumps_with_its_master():
    stage, master = Stage(*CUES), Master()
    stage.transport.follow(master)
    stage.wait(1.0)
    assert stage.get(HUE) == 0.0
    stage.controls.set("/vj/timeline/chase", True, "panel")
    master.is_moving = True
    for step in range(25):
        master.at_s = step * 0.1
        stage.wait(0.1)
    assert (stage.get(SEED), stage.transport.status.position) == (5, pytest.approx(2.4))
    assert stage.controls.commands.take()[-1].name == "cut/hard"
    master.at_s = 60.0
    stage.wait(0.1)
    assert stage.get(HUE) == 50.0
    master.is_moving, master.at_s = False, 1.0
    stage.wait(0.1)
    assert (stage.get(HUE), stage.transport.status.is_playing) == (10.0, False)


def test_another_blend_holds_only_while_prompts_fade():
    blend = "/vj/prompt/blend"
    stage = Stage(CUES[0], TimelineCue(1.0, {text_address(1): "b"}, fade_chunks=4, fade_blend="spherical"))
    stage.press("play")
    stage.wait(0.0)
    stage.wait(1.0)
    assert stage.get(blend) == "spherical"
    stage.wait(2.9)
    assert stage.get(blend) == "spherical"
    stage.wait(0.2)
    assert (stage.get(blend), stage.get(text_address(1))) == ("linear", "b")


@pytest.mark.parametrize("unit", ["seconds", "beats"])
def test_a_hard_cut_is_sent_ahead_and_dated_while_display_rate_waits(unit):
    cues = (
        TimelineCue(0.0, {SEED: 1, HUE: 1.0}),
        TimelineCue(4.0, {SEED: 2, HUE: 2.0}, cut="hard"),
        TimelineCue(8.0, {SEED: 3}, cut="soft"),
    )
    stage = Stage(*cues, unit=unit)
    stage.transport.lead_cuts(lambda left_s: 1.5)
    due_s = 4.0 if unit == "seconds" else 2.0
    stage.press("play")
    stage.wait(0.0)
    stage.wait(due_s - 1.6)
    assert (stage.get(SEED), stage.controls.commands.take()) == (1, [])
    stage.wait(0.2)
    (cut,) = stage.controls.commands.take()
    assert (cut.name, cut.at_ns) == ("cut/hard", pytest.approx(due_s * SECOND_NS, abs=1000))
    assert (stage.get(SEED), stage.get(HUE)) == (2, 1.0)
    stage.wait(1.5)
    assert (stage.get(HUE), stage.controls.commands.take()) == (2.0, [])
    stage.wait(due_s)
    assert [command.name for command in stage.controls.commands.take()] == ["cut/soft"]
    stage.press("rewind")
    stage.press("play")
    stage.wait(0.0)
    stage.wait(due_s)
    assert [command.name for command in stage.controls.commands.take()] == ["cut/hard"]
