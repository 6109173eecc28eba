"""Mapping files: what is valid plays, what is not is told with file, key and suggestion."""

import pytest

from vj.controllers.events import check_control
from vj.controllers.mapping import load_mapping, load_mappings, mappings_for
from vj.written_files import FileError


@pytest.fixture
def load(tmp_path):
    def write_and_load(text: str):
        path = tmp_path / "box.toml"
        path.write_text(text)
        return load_mapping(path)

    return write_and_load


def line(text: str) -> str:
    return f'device = "box"\n[controls]\n{text}\n'


def test_a_whole_file_is_read(load):
    mapping, problems = load(
        line(
            '"cc/1/0" = { parameter = "/vj/prompt/1/weight", low = 1.0, high = 0.25, curve = "square" }\n'
            '"note/10/36" = { command = "/vj/cut/hard" }\n'
            '"cc/1/1" = [{ parameter = "/vj/prompt/1/weight" }, { parameter = "/vj/prompt/2/weight" }]\n'
            '"note/1/1" = { parameter = "/vj/prompt/2/text", value = "ink" }\n'
            '"cc/1/2" = { parameter = "/vj/seed/value", low = 10, high = 20, takeover = "pickup" }'
        )
    )
    assert problems == ()
    (weight,) = mapping.controls["cc/1/0"]
    assert [weight.value_at(position) for position in (0.0, 0.5, 1.0)] == [1.0, 1.0 - 0.75 * 0.25, 0.25]
    assert mapping.controls["note/10/36"][0].is_command
    assert len(mapping.controls["cc/1/1"]) == 2
    assert mapping.controls["note/1/1"][0].value == "ink"
    (seed,) = mapping.controls["cc/1/2"]
    assert (seed.value_at(0.0), seed.value_at(0.52), seed.value_at(1.0), seed.takeover) == (10, 15, 20, "pickup")


def test_choices_spread_over_the_travel(load):
    mapping, _ = load(line('"cc/1/0" = { parameter = "/vj/prompt/blend" }'))
    (blend,) = mapping.controls["cc/1/0"]
    assert [blend.value_at(position) for position in (0.0, 0.49, 0.51, 1.0)] == ["linear"] * 2 + ["spherical"] * 2


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        ('"cc/1/0" = { parametre = "/vj/seed/value" }', "controls.cc/1/0.parametre", "did you mean 'parameter'"),
        ('"cc/1/0" = { parameter = "/vj/seed/valu" }', "controls.cc/1/0.parameter", "did you mean '/vj/seed/value'"),
        ('"cc/1/0" = { parameter = 5 }', "controls.cc/1/0.parameter", "unknown address '5'"),
        ('"cc/1/0" = { parameter = ["/vj/seed/value"] }', "controls.cc/1/0.parameter", "unknown address"),
        ('"cc/1/0" = { command = "/vj/cut/hart" }', "controls.cc/1/0.command", "did you mean '/vj/cut/hard'"),
        ('"cc/1/0" = { parameter = "/vj/cut/hard" }', "controls.cc/1/0.parameter", "is a command: write command ="),
        ('"cc/1/0" = { command = "/vj/seed/value" }', "controls.cc/1/0.command", "is a parameter: write parameter ="),
        ('"cc/1/0" = {}', "controls.cc/1/0", "needs either"),
        ('"cc/1/0" = "/vj/seed/value"', "controls.cc/1/0", "must look like"),
        ('"cc/17/0" = { command = "/vj/cut/hard" }', "controls.cc/17/0", "channels are 1 to 16, not 17"),
        ('"cc/1/128" = { command = "/vj/cut/hard" }', "controls.cc/1/128", "numbers are 0 to 127, not 128"),
        ('"knob/1/1" = { command = "/vj/cut/hard" }', "controls.knob/1/1", "write cc/<channel>/<number>"),
        ('"note/1/1" = { parameter = "/vj/prompt/1/text" }', "controls.note/1/1", "a text needs value"),
        ('"note/1/1" = { parameter = "/vj/prompt/1/text", value = 3 }', "controls.note/1/1.value", "3 is not a text"),
        ('"note/1/1" = { parameter = "/vj/seed/value", value = "x" }', "controls.note/1/1.value", "not a number"),
    ],
)
def test_what_cannot_play_is_left_out_and_told(load, text, key, sentence):
    mapping, problems = load(line(f'"cc/2/2" = {{ parameter = "/vj/output/level" }}\n{text}'))
    assert set(mapping.controls) == {"cc/2/2"}
    assert key in [problem.key for problem in problems]
    assert sentence in "; ".join(str(problem) for problem in problems)
    assert all(str(problem).startswith("box.toml: ") for problem in problems)


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        ("low = -1", "low", "-1 is outside 0 to 1 of /vj/prompt/1/weight; 0.0 is taken"),
        ("high = 7.5", "high", "7.5 is outside 0 to 1"),
        ('high = "loud"', "high", "not a number"),
        ("high = nan", "high", "not a finite number"),
        ('curve = "cubic"', "curve", "not one of linear, square, log; linear is taken"),
        ('takeover = ["pickup"]', "takeover", "not one of jump, pickup"),
        ('colour = "red"', "colour", "unknown key"),
    ],
)
def test_what_is_wrong_in_a_line_is_replaced_and_told(load, text, key, sentence):
    mapping, problems = load(line(f'"cc/1/0" = {{ parameter = "/vj/prompt/1/weight", {text} }}'))
    (binding,) = mapping.controls["cc/1/0"]
    assert [binding.value_at(position) for position in (0.0, 1.0)] == [0.0, 1.0]
    (problem,) = problems
    assert problem.key == f"controls.cc/1/0.{key}"
    assert sentence in problem.sentence


@pytest.mark.parametrize(
    ("text", "key"),
    [("[controls]", "device"), ("device = 3\n[controls]", "device"), ("device = []", "device")],
)
def test_a_file_without_a_device_plays_any(load, text, key):
    mapping, problems = load(text)
    assert mapping.is_for_any_device
    assert [problem.key for problem in problems] == [key]


def test_other_mistakes_of_the_file_are_told(load):
    _, problems = load('device = "box"\ncontrol = 1\ncontrols = 5\n')
    assert {problem.key: problem.sentence.split(":")[0] for problem in problems} == {
        "control": "unknown key, did you mean 'controls'?",
        "controls": "must be a table of controls, not 5",
    }


def test_a_range_means_nothing_for_a_switch(load):
    mapping, problems = load(line('"note/1/1" = { parameter = "/vj/output/blackout", low = 0 }'))
    assert mapping.controls["note/1/1"]
    assert "means nothing for /vj/output/blackout" in problems[0].sentence


@pytest.mark.parametrize("text", ["[controls", "a = 1\na = 2", "\x00", "x = " + "[" * 5000])
def test_what_is_not_toml_is_one_sentence(load, text):
    with pytest.raises(FileError, match=r"box\.toml: is not TOML"):
        load(text)


def test_one_bad_file_of_several_is_a_problem(tmp_path):
    good, bad, latin = tmp_path / "good.toml", tmp_path / "bad.toml", tmp_path / "latin.toml"
    good.write_text(line('"cc/1/0" = { parameter = "/vj/output/level" }'))
    bad.write_text("= =")
    latin.write_bytes(b'device = "\xe9"')
    mappings, problems = load_mappings([bad, good, latin, tmp_path / "none.toml", tmp_path])
    assert [mapping.path for mapping in mappings] == [good]
    assert [problem.path.name for problem in problems] == ["bad.toml", "latin.toml", "none.toml", tmp_path.name]
    assert "there is no such file" in problems[2].sentence
    assert not any(str(problem).count(problem.path.name) > 1 for problem in problems)


def test_a_file_that_names_a_port_wins_over_those_for_any(tmp_path):
    texts = {"any": "*", "korg": "nanoKONTROL2", "both": "nanokontrol"}
    paths = []
    for name, device in texts.items():
        paths.append(tmp_path / f"{name}.toml")
        paths[-1].write_text(f'device = "{device}"\n')
    mappings, _ = load_mappings(paths)

    def chosen(device: str) -> list[str]:
        return [mapping.path.stem for mapping in mappings_for(device, mappings)]

    assert chosen("nanoKONTROL2:nanoKONTROL2 MIDI 1") == ["korg", "both"]
    assert chosen("Some box") == ["any"]


def test_controls_are_named_one_way():
    assert check_control("cc/01/007") == "cc/1/7"
