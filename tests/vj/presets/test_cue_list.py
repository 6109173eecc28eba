"""The cue list: go, back, follow-on, and pointers that stay with their cues while the list is edited."""

import pytest

from tests.vj.presets.test_look_shelf import SECOND_NS, Stage
from vj.presets.cue_list import CueList, ListedCue
from vj.presets.params import CURRENT_CUE_ADDRESS, NEXT_CUE_ADDRESS
from vj.presets.prompt_mixing import text_address
from vj.presets.recall import Duration

HUE, ZOOM = "/vj/effect/hue", "/vj/effect/zoom"


class CueStage(Stage):
    """A stage with a list of three cues."""

    def __init__(self) -> None:
        super().__init__()
        self.bpm = 120.0
        self.list = CueList(self.recall, self.shelf, self.told.append, self, lambda: self.now_ns)
        self.list.replace_all(
            (
                ListedCue("sea", look="deep_sea", values={HUE: 10.0}),
                ListedCue("turn", values={HUE: 90.0}, fade=Duration(2.0), cut="hard"),
                ListedCue("close", values={ZOOM: 3.0}, fade=Duration(0.0)),
            )
        )

    def beat_at(self, time_ns: int) -> float:
        return time_ns / SECOND_NS * self.bpm / 60.0

    def time_of_beat(self, beat: float) -> int:
        return round(beat * 60.0 / self.bpm * SECOND_NS)

    def go(self) -> None:
        self.controls.trigger("/vj/cue/go", "osc")

    @property
    def pointers(self) -> tuple[int, int]:
        return self.list.status.current, self.list.status.next


@pytest.fixture
def stage(tmp_path, monkeypatch) -> CueStage:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return CueStage()


def test_the_hard_cut_of_a_dated_cue_is_sent_ahead_and_the_rest_waits_for_its_moment(stage):
    stage.list.replace_all(
        (
            ListedCue("drop", values={HUE: 45.0, "/vj/seed/value": 7}, fade=Duration(0.0), cut="hard"),
            ListedCue("fade", values={HUE: 90.0}, fade=Duration(2.0), cut="hard"),
            ListedCue("soft", values={HUE: 10.0}, fade=Duration(0.0), cut="soft"),
        )
    )
    assert stage.list.cut_brought_by("/vj/cue/go") == "/vj/cut/hard"
    assert stage.list.cut_brought_by("/vj/cue/back") == ""
    moment_ns = stage.now_ns + SECOND_NS
    stage.controls.trigger("/vj/cue/go", "panel", moment_ns)
    (command,) = stage.controls.commands.take()
    assert (command.name, command.at_ns) == ("cut/hard", moment_ns)
    assert (stage.get("/vj/seed/value"), stage.get(HUE), stage.pointers) == (7, 0.0, (0, 1))
    stage.list.tick(moment_ns - 1)
    assert stage.get(HUE) == 0.0
    stage.list.tick(moment_ns)
    assert (stage.get(HUE), stage.pointers, stage.controls.commands.take()) == (45.0, (1, 2), [])
    stage.controls.trigger("/vj/cue/go", "panel", moment_ns + SECOND_NS)
    assert stage.controls.commands.take()[-1].at_ns == moment_ns + SECOND_NS
    stage.list.go("panel")  # a hand does not wait: what was dated is not played again
    stage.list.tick(moment_ns + SECOND_NS)
    assert stage.pointers == (2, 3)
    stage.controls.commands.take()
    assert stage.list.cut_brought_by("/vj/cue/go") == "", "a soft cut lands with its chunk"


def test_go_plays_looks_values_fades_and_cuts_in_order(stage):
    assert stage.pointers == (0, 1)
    stage.go()
    assert "turquoise" in str(stage.get(text_address(1))).lower()
    assert (stage.get(HUE), stage.pointers) == (10.0, (1, 2))
    stage.go()
    stage.go_to(2.0)
    assert (stage.get(HUE), stage.pointers) == (90.0, (2, 3))
    assert stage.controls.commands.take()[-1].name == "cut/hard"
    stage.go()
    assert (stage.get(ZOOM), stage.pointers) == (3.0, (3, 4))
    stage.go()
    assert stage.pointers == (3, 4)
    assert stage.told[-1] == "the cue list is over"


def test_back_leaves_nothing_of_the_cue_it_leaves(stage):
    for _ in range(3):
        stage.go()
    stage.list.back("panel")
    assert (stage.get(ZOOM), stage.get(HUE), stage.pointers) == (1.0, 90.0, (2, 3))
    stage.list.back("panel")
    assert (stage.get(HUE), stage.pointers) == (10.0, (1, 2))
    stage.list.back("panel")
    assert stage.pointers == (1, 2)


def test_the_pointers_are_parameters_and_another_cue_stands_by_when_asked(stage):
    stage.controls.set(NEXT_CUE_ADDRESS, 3, "osc")
    stage.go()
    assert stage.get(ZOOM) == 3.0
    assert (stage.get(CURRENT_CUE_ADDRESS), stage.get(NEXT_CUE_ADDRESS)) == (3, 4)
    stage.controls.set(NEXT_CUE_ADDRESS, 900, "osc")
    stage.go()
    assert stage.told[-1] == "the cue list is over"


def test_a_cue_follows_by_itself_unless_a_hand_was_first(stage):
    stage.list.rewrite(1, ListedCue("sea", values={HUE: 10.0}, follow=Duration(4.0, is_beats=True)))
    stage.go()
    stage.list.tick(round(1.9 * SECOND_NS))
    assert stage.pointers == (1, 2)
    stage.list.tick(2 * SECOND_NS)
    assert stage.pointers == (2, 3)
    stage.list.tick(9 * SECOND_NS)
    assert stage.pointers == (2, 3)
    stage.list.back("panel")
    stage.list.tick(99 * SECOND_NS)
    assert stage.pointers == (1, 2)


def test_beats_to_the_next_cue_are_those_of_the_clock_whatever_its_tempo_becomes(stage):
    stage.list.rewrite(1, ListedCue("sea", values={HUE: 10.0}, follow=Duration(4.0, is_beats=True)))
    stage.go()
    assert stage.list.status.follows_at_ns == 2 * SECOND_NS
    stage.bpm = 60.0
    stage.list.tick(round(3.9 * SECOND_NS))
    assert stage.pointers == (1, 2)
    stage.list.tick(4 * SECOND_NS)
    assert stage.pointers == (2, 3)


def test_a_look_that_is_gone_is_told_and_the_rest_of_the_cue_plays(stage):
    stage.list.rewrite(1, ListedCue("sea", look="deep_see", values={HUE: 20.0}))
    stage.go()
    assert stage.get(HUE) == 20.0
    assert "did you mean 'deep_sea'" in stage.told[-1]


def test_pointers_stay_with_their_cues(stage):
    stage.go()
    stage.list.insert(1, ListedCue("new", values={HUE: 1.0}))
    assert stage.pointers == (2, 3)
    stage.list.insert(3, ListedCue("in between", values={HUE: 2.0}))
    assert stage.pointers == (2, 3)
    assert [cue.name for cue in stage.list.cues] == ["new", "sea", "in between", "turn", "close"]
    stage.list.move(2, 5)
    assert [cue.name for cue in stage.list.cues] == ["new", "in between", "turn", "close", "sea"]
    assert stage.pointers == (5, 2)
    stage.list.remove(1)
    assert stage.pointers == (4, 1)
    for number in (0, 5):
        with pytest.raises(ValueError, match="there is no cue"):
            stage.list.remove(number)
    with pytest.raises(ValueError, match="places are 1 to 5"):
        stage.list.insert(7, ListedCue("far"))
    stage.list.replace_all(())
    stage.go()
    assert (stage.pointers, stage.told[-1]) == ((0, 1), "the cue list is empty")
