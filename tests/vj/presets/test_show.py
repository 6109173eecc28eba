"""A show as a folder: saved, moved, read on another machine; and what a crash leaves behind."""

import os
import subprocess
import sys
import threading
import time

import pytest

from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.presets import autosave
from vj.presets.cue_list import ListedCue
from vj.presets.prompt_mixing import text_address
from vj.presets.recall import Duration
from vj.presets.repertoire import Repertoire
from vj.presets.show import Show, file_sha256
from vj.presets.show_file import FILE_NAME, ShowState, read_show, show_text
from vj.presets.transitions import Transitions
from vj.shipped_files import LOOKS, MAPPINGS, TIMELINES, Library, user_folder
from vj.tempo.clock import Clock
from vj.written_files import FileError, write_text

CUES = (
    ListedCue("sea", "deep_sea", {"/vj/effect/hue": 12.5}, Duration(8.0, True), Duration(3.5), "hard", "wait for her"),
    ListedCue("mine", "my_look"),
)


class Machine:
    """A home folder and the repertoire of an instrument that runs there."""

    def __init__(self, home, monkeypatch) -> None:
        self.home = home
        for name in ("HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE"):
            monkeypatch.setenv(name, str(home))
        for name in ("CONFIG", "DATA", "STATE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        self.told: list[str] = []

    def repertoire(self, show: ShowState | None = None, every_s: float = 30.0) -> Repertoire:
        self.controls = Controls(ParameterStore(), CommandQueue())
        clock = Clock(self.controls)
        transitions = Transitions(self.controls, clock.beat_at)
        repertoire = Repertoire(self.controls, clock, transitions, self.told.append, show, every_s)
        repertoire.begin_with(None, None, lambda: True)
        return repertoire


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    return Machine(tmp_path / "one", monkeypatch)


def wait_for(seen, timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_show_moves_to_another_machine(machine, tmp_path, monkeypatch):
    write_text(user_folder(MAPPINGS) / "my_box.toml", "name = 'box'\n")
    write_text(user_folder(TIMELINES) / "my_time.toml", '[[cues]]\nat = 4\nlook = "furnace"\n')
    lora = tmp_path / "one" / "fine.safetensors"
    lora.write_bytes(b"weights")
    repertoire = machine.repertoire()
    repertoire.start()
    machine.controls.set(text_address(9), "nine", "panel")
    machine.controls.set("/vj/clock/bpm", 133.0, "panel")
    machine.controls.set("/vj/effect/zoom", 2.5, "panel")
    machine.controls.set("/vj/output/blackout", True, "panel")
    machine.controls.set("/vj/lora/2/file", str(lora), "panel")
    repertoire.shelf.assign(4, repertoire.shelf.save("My look"))
    repertoire.cues.replace_all(CUES)
    repertoire.cues.go("panel")
    repertoire.open_timeline("my_time")
    repertoire.outputs, repertoire.model = {1: "HDMI-1", 3: ""}, "ember"
    wait_for(lambda: repertoire.timeline.timeline is not None)
    folder = tmp_path / "stick" / "tour"
    repertoire.save_show(folder)
    repertoire.stop()
    assert machine.told == [f"the show is saved in {folder}"]
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert {"looks/my_look.toml", "looks/deep_sea.toml", "looks/furnace.toml", "mappings/my_box.toml"} <= set(names)
    assert {"timelines/my_time.toml", "show.toml"} <= set(names)
    assert not [name for name in names if "tmp" in name]

    other = Machine(tmp_path / "two", monkeypatch)
    lora.unlink()
    show, sentences = Show.load(folder)
    assert [sentence for sentence in sentences if "fine.safetensors (slot 2, sha256" in sentence] == list(sentences)
    (folder / "loras").mkdir()
    (folder / "loras" / "fine.safetensors").write_bytes(b"weights")
    show, sentences = Show.load(folder)
    assert sentences == ()
    again = other.repertoire(show.state)
    get = other.controls.store.get
    assert (get(text_address(9)), get("/vj/clock/bpm")) == ("nine", 133.0)
    assert (get("/vj/effect/zoom"), get("/vj/output/blackout")) == (2.5, False)
    assert get("/vj/lora/2/file") == str(folder / "loras" / "fine.safetensors")
    assert again.cues.cues == CUES
    assert (again.cues.status.current, again.cues.status.next) == (1, 2)
    assert again.shelf.slots[3] == "my_look"
    assert again.timeline.timeline.name == "my_time"
    assert (again.outputs, again.model) == ({1: "HDMI-1", 3: ""}, "ember")
    assert other.told == []


def test_what_is_missing_on_the_other_machine_is_named_and_the_rest_works(machine, tmp_path):
    folder = tmp_path / "tour"
    text = show_text(ShowState(name="t", timeline="gone", mappings=("first_lite",), slots=("deep_see",), cues=CUES))
    write_text(folder / FILE_NAME, text + '"/vj/effect/hue" = 999\n"/vj/effect/hu" = 1\n')
    show, sentences = Show.load(folder / FILE_NAME)
    told = "\n".join(sentences)
    for words in (
        "show.toml: look_slots.1: there is no look 'deep_see', did you mean 'deep_sea'",
        "show.toml: cues[2].look: there is no look 'my_look'",
        "gone: there is no such file",
        "first_lite: there is no such file, did you mean 'first_light'",
        "show.toml: values./vj/effect/hue: 999 is outside -180 to 180",
        "show.toml: values./vj/effect/hu: unknown address, did you mean '/vj/effect/hue'",
    ):
        assert words in told
    repertoire = machine.repertoire(show.state)
    assert machine.controls.store.get("/vj/effect/hue") == 180.0
    assert len(repertoire.cues.cues) == 2


def test_a_lora_with_other_content_is_told_and_played(machine, tmp_path):
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"old")
    digest = file_sha256(file)
    file.write_bytes(b"new")
    folder = tmp_path / "tour"
    values = (
        f'[[loras]]\nslot = 1\nfile = "a.safetensors"\nsha256 = "{digest}"\n[values]\n"/vj/lora/1/file" = "{file}"\n'
    )
    write_text(folder / FILE_NAME, values)
    show, sentences = Show.load(folder)
    assert "is not the file the show was made with" in sentences[0]
    assert show.state.values["/vj/lora/1/file"] == str(file)


def test_a_show_is_loaded_while_another_plays_and_a_bad_one_changes_nothing(machine, tmp_path):
    write_text(tmp_path / "next" / FILE_NAME, show_text(ShowState(cues=CUES[:1], values={"/vj/seed/value": 9})))
    write_text(tmp_path / "next" / "looks" / "deep_sea.toml", '[values]\n"/vj/seed/value" = 4321\n')
    write_text(tmp_path / "bad" / FILE_NAME, "= broken")
    repertoire = machine.repertoire()
    repertoire.start()
    machine.controls.set("/vj/effect/hue", 30.0, "panel")
    repertoire.load_show(tmp_path / "bad")
    repertoire.open_timeline("openin")
    wait_for(lambda: len(machine.told) == 2)
    assert "is not TOML" in machine.told[0]
    assert "did you mean 'opening'" in machine.told[1]
    assert machine.controls.store.get("/vj/effect/hue") == 30.0
    repertoire.load_show(tmp_path / "next")
    wait_for(lambda: len(repertoire.cues.cues) == 1)
    wait_for(lambda: machine.controls.store.get("/vj/seed/value") == 9)
    assert machine.controls.store.get("/vj/effect/hue") == 0.0, "what a show does not name is at its default"
    repertoire.shelf.recall("deep_sea")
    assert machine.controls.store.get("/vj/seed/value") == 4321, "the show's looks win"
    repertoire.shelf.assign(1, repertoire.shelf.save("Deep sea"))
    repertoire.stop()
    assert "Deep sea" in (tmp_path / "next" / "looks" / "deep_sea.toml").read_text(), "a show's looks stay with it"
    assert not user_folder(LOOKS).exists()


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        ("nam = 1", "nam", "unknown key, did you mean 'name'"),
        ("model = 1", "model", "must be a text, not 1"),
        ("cues = 3", "cues", "must be a list, not 3"),
        ("cues = [3]", "cues[1]", "must be a table, not 3"),
        ("[[cues]]\nlok = 'a'", "cues[1].lok", "unknown key, did you mean 'look'"),
        ("[[cues]]\nfade_s = -1", "cues[1].fade_s", "must be a number of 0 to 86400, not -1"),
        ("[[cues]]\nfollow_beats = nan", "cues[1].follow_beats", "not nan"),
        ("[[cues]]\ncut = 'hart'", "cues[1].cut", "'hart' is not one of hard, soft"),
        ("[[cues]]\nvalues = { '/vj/cut/hard' = 1 }", "cues[1].values./vj/cut/hard", "is a command"),
        ("[look_slots]\n17 = 'a'", "look_slots.17", "is no slot: they are 1 to 16"),
        ("look_slots = 3", "look_slots", "must be a table, not 3"),
        ("timeline = 'x'", "timeline", "must be a table, not 'x'"),
        ("mappings = [1]", "mappings[1]", "must be a text, not 1"),
    ],
)
def test_what_is_wrong_in_a_show_is_told_with_its_key(tmp_path, text, key, sentence):
    write_text(tmp_path / FILE_NAME, f"name = 'x'\n{text}\n")
    state, problems = read_show(tmp_path / FILE_NAME)
    assert state.name == "x"
    told = {problem.key: problem.sentence for problem in problems}
    assert sentence in told[key]


def test_a_file_that_is_no_show_is_one_sentence(tmp_path):
    write_text(tmp_path / FILE_NAME, "a = 1\n")
    with pytest.raises(FileError, match="is no show"):
        Show.load(tmp_path)
    with pytest.raises(FileError, match="there is no such file"):
        Show.load(tmp_path / "none")


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / FILE_NAME
    write_text(path, "old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="cannot be written .No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_clean_end_leaves_nothing_to_restore_but_when_asked(machine):
    repertoire = machine.repertoire()
    repertoire.start()
    machine.controls.set("/vj/seed/value", 77, "panel")
    repertoire.stop()
    assert autosave.left_behind() is None
    assert autosave.restore() == autosave.Restored()
    assert autosave.restore(is_asked=True).state.values == {"/vj/seed/value": 77}


def test_what_a_crash_leaves_comes_back_by_itself_once(machine):
    repertoire = machine.repertoire(every_s=0.05)
    repertoire.start()
    machine.controls.set("/vj/seed/value", 78, "panel")
    repertoire.cues.replace_all(CUES)
    own = autosave.autosave_folder() / f"{os.getpid()}.toml"
    wait_for(lambda: own.is_file() and "78" in own.read_text() and "wait for her" in own.read_text())
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = own.rename(own.with_name(f"{gone.pid}.toml"))
    repertoire.stop()
    assert autosave.left_behind() == left
    restored = autosave.restore()
    assert "did not end properly" in restored.sentences[0]
    machine.repertoire(restored.state)
    assert machine.controls.store.get("/vj/seed/value") == 78
    assert autosave.left_behind() is None


def test_a_program_that_still_runs_keeps_its_state_and_an_old_file_is_left_over(machine):
    write_text(autosave.autosave_folder() / f"{os.getppid()}.toml", show_text(ShowState(name="other")))
    assert autosave.left_behind() is None
    long_ago = time.time() - 600.0
    os.utime(autosave.autosave_folder() / f"{os.getppid()}.toml", (long_ago, long_ago))
    assert autosave.restore().state.name == "other"


def test_a_broken_autosave_is_told_and_set_aside(machine):
    path = autosave.autosave_folder() / "999999999.toml"
    write_text(path, "= broken")
    restored = autosave.restore()
    assert restored.state is None
    assert "cannot be restored" in restored.sentences[0]
    assert autosave.restore() == autosave.Restored()


def test_a_slow_disk_holds_nobody_up(machine, monkeypatch):
    repertoire = machine.repertoire()
    release = threading.Event()
    repertoire._disk.do(lambda: release.wait(20.0) and None)
    repertoire.start()
    began_s = time.monotonic()
    machine.controls.trigger("/vj/look/16/save", "osc")
    machine.controls.trigger("/vj/show/save", "osc")
    repertoire.open_timeline("opening")
    assert time.monotonic() - began_s < 1.0
    assert repertoire.shelf.slots[15] == "slot_16"
    release.set()
    repertoire.stop()
    assert (user_folder(LOOKS) / "slot_16.toml").is_file()
    assert Library(user_folder("shows")).show.is_dir()
