"""Mapping files: what is valid plays, what is not is told with file, key and suggestion."""

import pytest

from vj.controllers.bindings import clicks_of, mappings_for
from vj.controllers.events import check_control
from vj.controllers.mapping import load_mapping, load_mappings
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
        ('"ccc/1/1" = { command = "/vj/cut/hard" }', "controls.ccc/1/1", "did you mean 'cc'?"),
        ('"cc14/1/32" = { parameter = "/vj/seed/morph" }', "controls.cc14/1/32", "numbers of cc14 are 0 to 31, not 32"),
        ('"nrpn/1" = { parameter = "/vj/seed/morph" }', "controls.nrpn/1", "write nrpn/<channel>/<number>"),
        ('"key/Spce" = { command = "/vj/cue/go" }', "controls.key/Spce", "did you mean 'Space'?"),
        ('"key/" = { command = "/vj/cue/go" }', "controls.key/", "is no key"),
        ('"key/Crtl+A" = { command = "/vj/cue/go" }', "controls.key/Crtl+A", "did you mean 'Ctrl'?"),
        ('"audio/onset/5" = { command = "/vj/cue/go" }', "controls.audio/onset/5", "bands 1 to 4"),
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
        ('curve = "cubic"', "curve", "not one of linear, square, log; it is left out"),
        ('takeover = ["pickup"]', "takeover", "not one of pickup, scale, jump"),
        ('colour = "red"', "colour", "unknown key"),
        ('takeover = "pikup"', "takeover", "did you mean 'pickup'?"),
        ('relative = "offzet"', "relative", "did you mean 'offset'?"),
        ("step = 0", "step", "above 0 and up to 1, not 0"),
        ('invert = "yes"', "invert", "must be true or false, not 'yes'"),
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


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("cc/01/007", "cc/1/7"),
        ("nrpn/16/16383", "nrpn/16/16383"),
        ("bend/2", "bend/2"),
        ("pressure/1", "pressure/1"),
        ("pressure/1/060", "pressure/1/60"),
        ("program/1/5", "program/1/5"),
        ("key/space", "key/Space"),
        ("key/shift+ctrl+f1", "key/Ctrl+Shift+F1"),
        ("key/+", "key/+"),
        ("key/ctrl++", "key/Ctrl++"),
        ("key/alt+meta+,", "key/Meta+Alt+,"),
        ("key/Media Play", "key/Media Play"),
        ("osc/composition/layers/1/master", "osc/composition/layers/1/master"),
    ],
)
def test_controls_are_named_one_way(written, name):
    assert check_control(written) == name


def test_endless_encoders_speak_three_ways():
    def clicks(encoding: str) -> list[int]:
        return [clicks_of(encoding, number / 127.0) for number in (1, 3, 63, 64, 65, 127)]

    assert clicks("twos_complement") == [1, 3, 63, -64, -63, -1]
    assert clicks("offset") == [-63, -61, -1, 0, 1, 63]
    assert clicks("sign_magnitude") == [1, 3, 63, 0, -1, -63]


def test_own_devices_are_named_exactly_and_ports_never_by_them(tmp_path):
    for name, device in {"keys": "keyboard", "any": "*", "sound": "audio"}.items():
        (tmp_path / f"{name}.toml").write_text(f'device = "{device}"\n')
    mappings, _ = load_mappings(sorted(tmp_path.iterdir()))

    def chosen(device: str) -> list[str]:
        return [mapping.path.stem for mapping in mappings_for(device, mappings)]

    assert chosen("USB MIDI Keyboard:out") == chosen("Scarlett Audio") == ["any"]
    assert (chosen("keyboard"), chosen("audio"), chosen("osc")) == (["keys"], ["sound"], [])


def test_an_overlay_lies_over_what_the_device_plays_without_it(tmp_path):
    (tmp_path / "any.toml").write_text('device = "*"\n')
    (tmp_path / "a_box.toml").write_text('device = "box"\noverlay = true\n')
    mappings, _ = load_mappings(sorted(tmp_path.iterdir()))
    assert [mapping.path.stem for mapping in mappings_for("my box", mappings)] == ["any", "a_box"]
    assert [mapping.path.stem for mapping in mappings_for("other", mappings)] == ["any"]


def test_lights_take_what_they_show_from_the_control_of_their_name(load):
    mapping, problems = load(
        line('"note/1/3" = { parameter = "/vj/seed/value", value = 4 }')
        + '[feedback]\nstart = ["F0 00 01 F7"]\non = 5\n[feedback.lights]\n"note/1/3" = { off = 1 }\n'
        '"cc/1/16" = { shows = "/vj/seed/morph", style = "ring" }\n'
        '"sysex/F0 00 {value} F7" = { shows = "beat", on = [1, 2, 3] }\n'
    )
    assert problems == ()
    seed, ring, beat = mapping.feedback.lights
    assert (seed.parameter.address, seed.value, seed.on, seed.off) == ("/vj/seed/value", 4, (5,), (1,))
    assert seed.message(seed.on) == bytes([0x90, 3, 5])
    assert ring.message((64,)) == bytes([0xB0, 16, 64])
    assert beat.message(beat.on) == bytes([0xF0, 0, 1, 2, 3, 0xF7])
    assert mapping.feedback.start == (bytes([0xF0, 0, 1, 0xF7]),)


@pytest.mark.parametrize(
    ("text", "key", "sentence"),
    [
        ("[feedback]\nstart = 5", "feedback.start", "list of messages in hex"),
        ('[feedback]\nstart = ["F0 00"]', "feedback.start", "invalid sysex end byte"),
        ('[feedback]\nend = ["hello"]', "feedback.end", "no MIDI message"),
        ("[feedback]\non = 128", "feedback.on", "number 0 to 127"),
        ("[feedback]\nlight = 1", "feedback.light", "did you mean 'lights'?"),
        ('[feedback.lights]\n"note/1/9" = {}', "feedback.lights.note/1/9", "no control of this file is note/1/9"),
        ('[feedback.lights]\n"led/1/9" = {}', "feedback.lights.led/1/9", "is no light"),
        ('[feedback.lights]\n"cc/1/9" = { shows = "/vj/seed/morf" }', "feedback.lights.cc/1/9.shows", "did you mean"),
        (
            '[feedback.lights]\n"cc/1/9" = { shows = "/vj/cut/hard", style = "ring" }',
            "feedback.lights.cc/1/9.style",
            "has no position",
        ),
    ],
)
def test_mistakes_in_the_feedback_are_told(load, text, key, sentence):
    mapping, problems = load('device = "box"\n[controls]\n"cc/1/0" = { parameter = "/vj/output/level" }\n' + text)
    assert set(mapping.controls) == {"cc/1/0"}
    assert [problem.key for problem in problems] == [key]
    assert sentence in problems[0].sentence
