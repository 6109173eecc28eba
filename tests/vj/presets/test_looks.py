"""Looks: read with every problem told, played at once, or turned into a render's plan."""

import pytest

from engine.params import PROMPT_PADS
from vj.commands import CommandQueue
from vj.controls import Controls
from vj.modulation.params import MODULATORS
from vj.parameters import ParameterStore
from vj.presets.looks import apply_look, load_look, look_plan
from vj.shipped_files import LOOKS, shipped_folder
from vj.written_files import FileError


@pytest.fixture
def load(tmp_path):
    def write_and_load(text: str):
        path = tmp_path / "sea.toml"
        path.write_text(text)
        return load_look(path)

    return write_and_load


SEA = """
name = "Sea"
description = "Blue."
[values]
"/vj/prompt/1/text" = "blue waves"
"/vj/prompt/2/weight" = 0.25
"/vj/seed/value" = 5
"/vj/output/level" = 0.5
"""


def test_a_look_is_applied_in_one_version(load):
    look, problems = load(SEA)
    assert (look.name, look.description, problems) == ("Sea", "Blue.", ())
    controls = Controls(ParameterStore(), CommandQueue())
    apply_look(controls, look)
    assert controls.store.version == 1
    assert controls.store.get("/vj/output/level") == 0.5
    assert controls.moved_by("/vj/seed/value").source == "look Sea"
    assert [command.arguments for command in controls.commands.take()] == [{"pad": 1, "text": "blue waves"}]


def test_a_look_becomes_a_plan_of_one_cue(load):
    look, _ = load(SEA)
    plan = look_plan(look)
    (cue,) = plan.cues
    assert cue.params.prompt_texts[0] == "blue waves"
    assert cue.params.prompt_weights == (1.0, 0.25, *[0.0] * (PROMPT_PADS - 2))
    assert (cue.params.seed, plan.seed) == (5, 5)
    assert plan.notes == ("only the live output plays /vj/output/level",)


@pytest.mark.parametrize(
    ("line", "key", "sentence"),
    [
        ('"/vj/prompt/1/txt" = "x"', "values./vj/prompt/1/txt", "did you mean '/vj/prompt/1/text'"),
        ('"/vj/prompt/1/weight" = 3', "values./vj/prompt/1/weight", "3 is outside 0 to 1; 1.0 is taken"),
        ('"/vj/prompt/1/weight" = nan', "values./vj/prompt/1/weight", "not a finite number"),
        (f'"/vj/prompt/1/weight" = 1{"0" * 400}', "values./vj/prompt/1/weight", "too long for any range"),
        ('"/vj/prompt/1/weight" = [1]', "values./vj/prompt/1/weight", "[1] is not a number"),
        ('"/vj/prompt/2/text" = 7', "values./vj/prompt/2/text", "7 is not a text"),
        ('"/vj/prompt/blend" = "slerp"', "values./vj/prompt/blend", "'slerp' is not one of linear, spherical"),
        ('"/vj/cut/hard" = 1', "values./vj/cut/hard", "is a command and holds no value"),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_plays(load, line, key, sentence):
    look, problems = load(f"{SEA}{line}\n")
    assert look.values["/vj/prompt/1/text"] == "blue waves"
    (problem,) = problems
    assert (problem.key, str(problem).startswith("sea.toml: ")) == (key, True)
    assert sentence in problem.sentence


def test_unknown_keys_and_wrong_words_are_told(load):
    look, problems = load('name = 3\nvalue = 1\n[values]\n"/vj/seed/value" = "12"\n')
    assert look.values == {"/vj/seed/value": 12}
    assert {problem.key for problem in problems} == {"name", "value"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"has no \[values\]"),
        ("values = 3", "must be a table"),
        ('[values]\n"/vj/sed/value" = 1', "sets nothing .*did you mean '/vj/seed/value'"),
        ("[values", "is not TOML"),
        (f"values = 1{'0' * 5000}", "is not TOML"),
    ],
)
def test_a_look_that_sets_nothing_is_one_sentence(load, text, sentence):
    with pytest.raises(FileError, match=rf"sea\.toml: .*{sentence}|sea\.toml: {sentence}") as error:
        load(text)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_one_sentence(tmp_path):
    with pytest.raises(FileError, match="there is no such file"):
        load_look(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="is written in UTF-16"):
        load_look(tmp_path / "bytes.toml")
    with pytest.raises(FileError, match="is a folder"):
        load_look(tmp_path)


def test_the_furnace_drives_the_first_lora_by_sound():
    look, problems = load_look(shipped_folder(LOOKS) / "furnace.toml")
    assert problems == ()
    on = [n for n in range(1, MODULATORS + 1) if look.values[f"/vj/mod/{n}/on"]]
    driven = {look.values[f"/vj/mod/{n}/target"]: look.values[f"/vj/mod/{n}/source"] for n in on}
    assert driven["/vj/lora/1/weight"] == "level"
    assert not any(address.startswith("/vj/lora/") for address in look.values), "the slot is the performer's"
