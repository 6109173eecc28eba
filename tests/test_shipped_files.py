"""What ships loads without a single problem, is found by name, and gives way to the user's own files."""

from pathlib import Path

import pytest

from engine.params import ENGINE_PARAMETERS
from vj.controllers.bindings import mappings_for
from vj.controllers.mapping import load_mapping, load_mappings
from vj.presets.looks import load_look, look_plan
from vj.presets.timeline import timeline_plan
from vj.presets.timeline_files import load_timeline
from vj.shipped_files import LOOKS, MAPPINGS, TIMELINES, find_file, list_files, shipped_folder, user_folder
from vj.written_files import FileError


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
def test_every_look_loads_and_sets_every_pad(path):
    look, problems = load_look(path)
    assert problems == ()
    assert look.description
    pads = {p.address for p in ENGINE_PARAMETERS if p.address.startswith("/vj/prompt/")}
    assert pads <= set(look.values), "a look that leaves a pad open looks different every time"
    assert look_plan(look).notes == ()


@pytest.mark.parametrize("path", shipped(TIMELINES), ids=lambda path: path.stem)
def test_every_timeline_loads(path):
    timeline, problems = load_timeline(path)
    assert problems == ()
    assert timeline.length
    assert timeline_plan(timeline).notes == ()


def test_there_is_something_of_every_kind():
    assert len(shipped(MAPPINGS)) >= 3
    assert len(shipped(LOOKS)) >= 4
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
