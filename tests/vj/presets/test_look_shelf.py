"""Looks saved, called up, locked and morphed, with the real store, transitions and files."""

import random

import pytest

from engine.parameter import Parameter
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import PARAMETERS, ParameterStore
from vj.presets.look_shelf import LookShelf, UnknownLookError, file_name
from vj.presets.looks import SAVED_GROUPS, group_of, load_look, look_from, look_text
from vj.presets.prompt_mixing import text_address, weight_address
from vj.presets.recall import Duration, Recall
from vj.presets.transitions import Transitions
from vj.shipped_files import LOOKS, Library, shipped_folder, user_folder
from vj.written_files import write_text

SECOND_NS = 1_000_000_000


class Stage:
    """Controls, transitions and shelf on a clock the test moves by hand, at 120 BPM."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.told: list[str] = []
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.transitions = Transitions(self.controls, lambda at_ns: at_ns / SECOND_NS * 2.0, lambda: self.now_ns)
        self.recall = Recall(self.controls, self.transitions, lambda: 120.0)
        self.shelf = LookShelf(self.recall, Library(), write_text, self.told.append)

    def get(self, address: str):
        return self.controls.store.get(address)

    def set(self, address: str, value) -> None:
        self.controls.set(address, value, "panel")

    def go_to(self, seconds: float) -> None:
        self.now_ns = round(seconds * SECOND_NS)
        self.transitions.tick(self.now_ns)


@pytest.fixture
def stage(tmp_path, monkeypatch) -> Stage:
    for name in ("HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return Stage()


def test_slots_hold_what_shipped_in_order_of_name_then_the_users_own(stage):
    shipped = sorted(path.stem for path in shipped_folder(LOOKS).glob("*.toml"))
    slots = len(stage.shelf.slots)
    assert stage.shelf.slots == tuple(shipped[:slots])
    write_text(user_folder(LOOKS) / "aaa.toml", '[values]\n"/vj/seed/value" = 1\n')
    write_text(user_folder(LOOKS) / "bad.toml", "[values")
    again = Stage()
    assert (*again.shelf.slots, "aaa") == (*shipped[:slots], "aaa")
    assert "aaa" in again.shelf.looks
    assert "bad.toml: is not TOML" in again.told[0]


def test_a_saved_look_comes_back_whole(stage):
    stage.set(text_address(16), "the last pad")
    stage.set("/vj/mod/3/depth", -0.25)
    stage.set("/vj/effect/hue", 45.0)
    name = stage.shelf.save("Über all!")
    assert name == "über_all"
    for address, value in ((text_address(16), "x"), ("/vj/mod/3/depth", 1.0), ("/vj/effect/zoom", 2.0)):
        stage.set(address, value)
    stage.set("/vj/output/level", 0.5)
    stage.shelf.recall(name)
    assert (stage.get(text_address(16)), stage.get("/vj/mod/3/depth")) == ("the last pad", -0.25)
    assert (stage.get("/vj/effect/hue"), stage.get("/vj/effect/zoom")) == (45.0, 1.0)
    assert stage.get("/vj/output/level") == 0.5, "brightness is the performer's, not the look's"
    look, problems = load_look(user_folder(LOOKS) / f"{name}.toml")
    assert (look, problems) == (stage.shelf.look(name), ())


def test_a_look_arrives_over_the_transition_time_and_leaves_locked_groups_alone(stage):
    stage.set("/vj/effect/hue", 100.0)
    stage.set("/vj/seed/value", 9)
    name = stage.shelf.save("far")
    stage.set("/vj/effect/hue", 0.0)
    stage.set("/vj/seed/value", 1)
    stage.set("/vj/transition/time", 4.0)
    stage.set("/vj/transition/easing", "linear")
    stage.set("/vj/lock/seed", True)
    stage.shelf.recall(name)
    stage.go_to(1.0)
    assert stage.get("/vj/effect/hue") == pytest.approx(25.0)
    stage.go_to(4.0)
    assert (stage.get("/vj/effect/hue"), stage.get("/vj/seed/value")) == (100.0, 1)


def test_a_duration_in_beats_is_that_of_the_tempo(stage):
    stage.recall.play({"/vj/effect/hue": 80.0}, "cue", Duration(8.0, is_beats=True), "linear")
    stage.go_to(1.0)
    assert stage.get("/vj/effect/hue") == pytest.approx(20.0)


def test_slots_are_recalled_and_saved_by_trigger_and_never_cover_what_shipped(stage):
    shipped = stage.shelf.slots[0]
    before = (shipped_folder(LOOKS) / f"{shipped}.toml").read_text()
    stage.controls.trigger("/vj/look/1/recall", "osc")
    assert stage.get(text_address(1)) == stage.shelf.look(shipped).values[text_address(1)]
    stage.set(weight_address(2), 0.5)
    stage.controls.trigger("/vj/look/1/save", "osc")
    assert stage.shelf.slots[0] == "slot_1"
    stage.set(weight_address(2), 0.75)
    stage.controls.trigger("/vj/look/1/save", "osc")
    assert stage.shelf.slots[0] == "slot_1"
    assert stage.shelf.look("slot_1").values[weight_address(2)] == 0.75
    assert (shipped_folder(LOOKS) / f"{shipped}.toml").read_text() == before
    assert [path.name for path in user_folder(LOOKS).iterdir()] == ["slot_1.toml"]
    stage.shelf.assign(16, "")
    stage.controls.trigger("/vj/look/16/recall", "osc")
    assert "look slot 16 is empty" in stage.told[-1]


def test_a_look_that_is_none_names_the_nearest(stage):
    with pytest.raises(UnknownLookError, match="did you mean 'deep_sea'"):
        stage.shelf.assign(3, "deep_see")
    stage.shelf.assign(3, "deep_sea")
    stage.shelf.assign(4, "")
    assert stage.shelf.slots[2:4] == ("deep_sea", "")


@pytest.mark.parametrize(
    ("title", "name"), [("a/../b", "a_b"), ("  ", "untitled"), ("CON?", "con"), ("x" * 200, "x" * 60)]
)
def test_titles_become_names_every_file_system_takes(title, name):
    assert file_name(title) == name


def random_value(parameter: Parameter, draw: random.Random):
    if parameter.kind == "choice":
        return draw.choice(parameter.choices)
    if parameter.kind == "switch":
        return draw.random() < 0.5
    if parameter.kind == "text":
        letters = "aé\"'\\\n\t#=[]{}\u2028\U0001f30a\x7f\x01 "
        return "".join(draw.choice(letters) for _ in range(draw.randrange(40))).strip()
    if parameter.kind == "int":
        return draw.randint(int(parameter.minimum), int(parameter.maximum))
    return draw.uniform(parameter.minimum, parameter.maximum)


@pytest.mark.parametrize("seed", range(25))
def test_any_look_is_read_back_as_it_was_saved(tmp_path, seed):
    draw = random.Random(seed)
    store = ParameterStore()
    saved = [address for address in PARAMETERS if group_of(address) in SAVED_GROUPS]
    moved = draw.sample(saved, draw.randrange(len(saved)))
    store.set_many({address: random_value(PARAMETERS[address], draw) for address in moved}, "test")
    title = random_value(PARAMETERS[text_address(1)], draw) or "x"
    look = look_from(store.snapshot(), title, "a description")
    write_text(tmp_path / "look.toml", look_text(look))
    assert load_look(tmp_path / "look.toml") == (look, ())
