"""What a run begins with: a show, a look, a timeline, and what the last run left behind."""

from argparse import Namespace

import pytest

from vj.beginning import read_beginning
from vj.engine_params import MODEL_ADDRESS
from vj.performance import Performance, PerformanceOptions
from vj.presets.autosave import autosave_folder
from vj.presets.show_file import FILE_NAME, ShowState, show_text
from vj.run_command_line import choose_model
from vj.written_files import FileError, write_text

LEFT = "999999999.toml"  # no process has this id


@pytest.fixture
def begin(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))

    def read(**words: object):
        asked = {"show": None, "look": None, "timeline": None, "lora": [], "restore": False, "fresh": False}
        asked |= {"input": None, "v2v": None, "vace_control": None, "vace_ref": [], "vace_mask": None}
        asked |= {"vace_scale": None}
        return read_beginning(Namespace(**{**asked, **words}))

    return read


def leave(state: ShowState) -> None:
    write_text(autosave_folder() / LEFT, show_text(state))


def test_nothing_asked_is_nothing_found(begin):
    found = begin()
    assert (found.show, found.look, found.timeline, found.sentences) == (None, None, None, [])


def test_looks_and_timelines_come_from_the_show_first(begin, tmp_path):
    show = tmp_path / "tour"
    write_text(show / FILE_NAME, show_text(ShowState(name="tour")))
    write_text(show / "looks" / "deep_sea.toml", 'name = "ours"\n[values]\n"/vj/seed/value" = 1\n')
    write_text(show / "timelines" / "set.toml", '[[cues]]\nat = 0\nlook = "deep_sea"\n')
    found = begin(show=str(show), look="deep_sea", timeline="set")
    assert (found.look.name, found.show.folder) == ("ours", str(show))
    assert found.timeline.cues[0].values == {"/vj/seed/value": 1}
    with pytest.raises(FileError, match="there is no such folder"):
        begin(show=str(tmp_path / "none"))


def test_a_timeline_given_by_its_path_is_found_again_after_a_crash(begin, tmp_path):
    path = tmp_path / "elsewhere" / "first.toml"
    write_text(path, 'name = "Another name"\n[[cues]]\nat = 0\nlook = "deep_sea"\n')
    sentences = []
    show = Performance(PerformanceOptions(timeline=begin(timeline=str(path)).timeline), sentences.append)
    show.apply_first_look()
    state = show.repertoire.state()
    show.osc.stop()
    assert state.timeline == str(path)
    leave(state)
    again = Performance(PerformanceOptions(show=begin().show), sentences.append)
    again.apply_first_look()
    again.osc.stop()
    assert again.repertoire.timeline.status.name == "Another name"
    assert sentences == []


@pytest.mark.parametrize(
    ("asked", "state", "plays", "told"),
    [
        (None, ShowState(model="test-pattern"), "test-pattern", ""),
        (None, ShowState(model="ember", values={MODEL_ADDRESS: "test-pattern"}), "test-pattern", ""),
        ("ember", ShowState(model="test-pattern"), "ember", "played with 'test-pattern': 'ember' plays"),
        ("ember", ShowState(values={MODEL_ADDRESS: "test-pattern"}), "ember", "played with 'test-pattern'"),
        ("ember", ShowState(model="ember"), "ember", ""),
        (None, ShowState(model="nonesuch"), "ember", "ember plays"),
        (None, None, "ember", ""),
    ],
)
def test_a_model_asked_for_wins_over_the_one_a_state_was_played_with(asked, state, plays, told):
    problems: list[str] = []
    model, left = choose_model(asked, state, problems)
    assert model == plays
    assert left is None or MODEL_ADDRESS not in left.values, "it would be loaded after all"
    assert told in "".join(problems) and bool(problems) == bool(told)


def test_what_a_crash_left_wins_and_says_so(begin):
    leave(ShowState(values={"/vj/seed/value": 5}))
    found = begin(look="deep_sea")
    assert (found.show.values, found.look) == ({"/vj/seed/value": 5}, None)
    assert "did not end properly" in found.sentences[0]
    assert "--look" in found.sentences[1]
    assert begin().show is None, "it comes back once"
    assert begin(restore=True).show.values == {"/vj/seed/value": 5}


def test_fresh_begins_without_and_leaves_it_for_later(begin):
    leave(ShowState(name="left"))
    assert begin(fresh=True).show is None
    assert begin().show.name == "left"


def test_the_state_of_another_show_stays_where_it_is(begin, tmp_path):
    write_text(tmp_path / "tour" / FILE_NAME, show_text(ShowState(name="tour")))
    leave(ShowState(name="other", folder=str(tmp_path / "elsewhere")))
    found = begin(show=str(tmp_path / "tour"))
    assert found.show.name == "tour"
    assert "--restore" in found.sentences[0]
    leave(ShowState(name="tour, later", folder=str(tmp_path / "tour")))
    assert begin(show=str(tmp_path / "tour")).show.name == "tour, later"


def test_loras_fill_the_slots_by_path_or_name(begin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "glow.safetensors").write_bytes(b"")
    values = begin(lora=["glow.safetensors:0.5", "in_my_folder"]).values
    assert values["/vj/lora/1/file"] == str(tmp_path / "glow.safetensors"), "the engine may run elsewhere"
    assert (values["/vj/lora/1/weight"], values["/vj/lora/2/file"]) == (0.5, "in_my_folder")
    with pytest.raises(ValueError, match="9 LoRAs; there are 8 slots"):
        begin(lora=["a"] * 9)
    with pytest.raises(ValueError, match=r"glow\.safetensors:7: a LoRA's weight is -2 to 2"):
        begin(lora=["glow.safetensors:7"])
    leave(ShowState(values={"/vj/seed/value": 5}))
    found = begin(lora=["glow.safetensors"])
    assert found.values == {}
    assert "--lora" in found.sentences[1]


def test_the_options_of_video_in_set_inputs_and_what_is_done_with_them(begin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face.png").write_bytes(b"")
    (tmp_path / "deck.mp4").write_bytes(b"")
    values = begin(
        input="Cam Link", v2v=0.4, vace_control="edges:deck.mp4", vace_ref=["face.png"], vace_mask="lavfi:testsrc2"
    ).values
    assert {number: values[f"/vj/input/{number}/source"] for number in (1, 2, 3)} == {
        1: "Cam Link",
        2: str(tmp_path / "deck.mp4"),
        3: "lavfi:testsrc2",
    }
    assert (values["/vj/input/on"], values["/vj/input/noise"], values["/vj/vace/control"]) == (True, 0.4, "edges")
    assert values["/vj/vace/ref/1/file"] == str(tmp_path / "face.png")
    with pytest.raises(ValueError, match="--v2v goes with --input"):
        begin(v2v=0.4)
