"""What ships loads without a single problem, is found by name, and gives way to the user's own files."""

from pathlib import Path

import pytest

from engine.text.ngram import split_words
from engine.training.captions.lexicon import FAMILY_WORDS, PALETTE_WORDS, SPEED_WORDS
from vj.controllers.bindings import mappings_for
from vj.controllers.mapping import load_mapping, load_mappings
from vj.inputs.params import INPUT_PARAMETERS
from vj.presets.looks import defaults_of, load_look, look_plan
from vj.presets.prompt_mixing import PADS, text_address
from vj.presets.timeline import timeline_plan
from vj.presets.timeline_files import load_timeline
from vj.shipped_files import LOOKS, MAPPINGS, TIMELINES, find_file, list_files, shipped_folder, user_folder
from vj.written_files import FileError

HEARD_BY_EMBER = 12  # words


def shipped(kind: str) -> list[Path]:
    return sorted(path for path in shipped_folder(kind).iterdir() if path.suffix in (".toml", ".json"))


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    for name in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("path", shipped(MAPPINGS), ids=lambda path: path.stem)
def test_every_mapping_loads(path):
    mapping, problems = load_mapping(path)
    assert problems == ()
    assert mapping.controls


@pytest.mark.parametrize("path", shipped(LOOKS), ids=lambda path: path.stem)
def test_every_look_loads_and_holds_its_groups_whole(path):
    look, problems = load_look(path)
    assert problems == ()
    assert look.description
    groups = ["prompt", "seed", "effect", "mod"]
    if path.stem.startswith("webcam_"):
        groups += ["input", "vace"]
    assert defaults_of(groups).keys() == look.values.keys(), "it would look different"
    assert all(note.startswith("only the live output plays ") for note in look_plan(look).notes)


@pytest.mark.parametrize("path", shipped(LOOKS), ids=lambda path: path.stem)
def test_every_prompt_is_long_and_begins_with_words_ember_knows(path):
    look, _ = load_look(path)
    known = {word for table in (FAMILY_WORDS, PALETTE_WORDS, SPEED_WORDS) for words in table.values() for word in words}
    texts = [str(look.values[text_address(pad)]) for pad in PADS if look.values[text_address(pad)]]
    assert len(texts) >= 3, "something to blend with"
    for text in texts:
        assert len(text.split()) >= 25, "the large model was trained on long descriptions"
        assert sum(word in known for word in split_words(text, HEARD_BY_EMBER)) >= 2, text


def test_no_look_names_what_stands_in_another_place():
    """A camera's name, its crop and its key belong to the room; the looks say what is made of input 1."""
    own = {parameter.address for parameter in INPUT_PARAMETERS}
    painting, outlined = (load_look(find_file(name, LOOKS))[0].values for name in ("webcam_paint", "webcam_edges"))
    assert not own & (painting.keys() | outlined.keys())
    assert painting["/vj/input/on"] and not painting["/vj/vace/on"]
    assert outlined["/vj/vace/on"] and outlined["/vj/vace/control"] == "edges" and not outlined["/vj/input/on"]


def test_several_looks_move_by_themselves():
    sources = [
        look.values["/vj/mod/1/source"]
        for look, _ in map(load_look, shipped(LOOKS))
        if look.values["/vj/mod/1/on"] and look.values["/vj/mod/1/target"] != "none"
    ]
    assert len(sources) >= 3
    assert {"lfo", "bass"} <= set(sources)


@pytest.mark.parametrize("path", shipped(TIMELINES), ids=lambda path: path.stem)
def test_every_timeline_loads(path):
    timeline, problems = load_timeline(path)
    assert problems == ()
    assert timeline.length
    assert all(note.startswith("only the live output plays ") for note in timeline_plan(timeline).notes)


def test_there_is_something_of_every_kind():
    assert len(shipped(MAPPINGS)) >= 3
    assert len(shipped(LOOKS)) == 20
    assert {path.suffix for path in shipped(TIMELINES)} == {".toml", ".json"}


@pytest.mark.parametrize(
    ("port", "mapping"),
    [
        ("nanoKONTROL2:nanoKONTROL2 MIDI 1", "korg_nanokontrol2"),
        ("MIDI Mix:MIDI Mix MIDI 1", "akai_midimix"),
        ("any other box", "first_light"),
    ],
)
def test_ports_find_their_mapping(port, mapping):
    mappings, _ = load_mappings(shipped(MAPPINGS))
    assert [found.path.stem for found in mappings_for(port, mappings)] == [mapping]


def test_files_are_found_by_name_and_by_path(home, tmp_path):
    assert find_file("deep_sea", LOOKS) == shipped_folder(LOOKS) / "deep_sea.toml"
    assert find_file("deep_sea.toml", LOOKS) == shipped_folder(LOOKS) / "deep_sea.toml"
    assert find_file("tide", TIMELINES).suffix == ".json"
    own = tmp_path / "own.toml"
    own.touch()
    assert find_file(own, LOOKS) == own


def test_the_users_file_wins_over_a_shipped_one_of_the_same_name(home):
    folder = user_folder(LOOKS)
    assert home in folder.parents
    folder.mkdir(parents=True)
    (folder / "deep_sea.toml").touch()
    (folder / "mine.toml").touch()
    (folder / "notes.txt").touch()
    found = list_files(LOOKS)
    assert found["deep_sea"] == folder / "deep_sea.toml"
    assert found["furnace"].parent == shipped_folder(LOOKS)
    assert "mine" in found
    assert "notes" not in found
    assert find_file("deep_sea", LOOKS) == folder / "deep_sea.toml"


@pytest.mark.parametrize("name", ["deep_see", "deep_see.toml"])
def test_a_name_that_is_none_names_the_nearest(home, name):
    with pytest.raises(FileError, match="did you mean 'deep_sea'"):
        find_file(name, LOOKS)


def test_a_path_that_is_none_is_one_sentence(home, tmp_path):
    with pytest.raises(FileError, match="there is no such file$"):
        find_file(tmp_path / "zzz.toml", LOOKS)
