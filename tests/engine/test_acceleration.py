"""Switches for speed: from the preset, then from the command line, refused with a sentence, told to the generator."""

import dataclasses
from pathlib import Path

import pytest

from engine.acceleration import EXACT, Acceleration, AccelerationError, acceleration_words
from engine.chunk_source import ChoiceError, SourceChoice, load_source
from engine.messages import Start, decode, encode
from engine.model_presets import PresetError, list_presets, load_preset
from vj.engine_link import engine_words

EMBER = list_presets()["ember"].read_text()


def test_the_defaults_are_the_exact_path_and_words_change_them() -> None:
    assert EXACT.is_exact
    assert EXACT.words == ()
    fast = EXACT.changed(("linears=fp8", "steps=3", "graphs=off", "linears=int8"))
    assert fast == Acceleration(linears="int8", steps=3, graphs=False)
    assert not fast.is_exact
    assert EXACT.changed(fast.words) == fast
    assert fast.changed(("steps=model", "linears=exact", "graphs=on")) == EXACT


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("graph=on", "'graph' is no switch for speed, did you mean 'graphs'"),
        ("linears=fp9", "linears is one of exact, fp8, int8, did you mean 'fp8'"),
        ("fused", "fused is one of on, off"),
        ("steps=0", "a whole number from 1 to 50, or model"),
        ("steps=", "a whole number from 1 to 50, or model"),
    ],
)
def test_what_is_wrong_is_a_sentence(word: str, sentence: str) -> None:
    with pytest.raises(AccelerationError, match=sentence):
        EXACT.changed([word])


def test_render_refuses_a_wrong_switch(run_vj, tmp_path: Path) -> None:
    done = run_vj("render", "--prompt", "ink", "--accelerate", "linear=fp8", "--out", str(tmp_path / "a.mp4"))
    assert done.returncode == 2
    assert "did you mean 'linears'" in done.stderr


def test_a_preset_says_how_it_is_computed_and_the_command_line_wins(tmp_path: Path) -> None:
    file = tmp_path / "quick.toml"
    file.write_text(f'{EMBER}\n[acceleration]\nclean_pass = false\nsteps = 3\nlinears = "exact"\n')
    assert load_preset(str(file)).acceleration == Acceleration(clean_pass=False, steps=3)
    choice = SourceChoice(str(file), (64, 48), "cpu", "float32", threads=1, accelerate=("steps=2",))
    source = load_source(choice)
    assert source.acceleration == Acceleration(clean_pass=False, steps=2)
    source.close()
    with pytest.raises(ChoiceError, match="no switch"):
        load_source(dataclasses.replace(choice, accelerate=("speed=on",)))


def test_a_preset_with_a_wrong_switch_names_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "quick.toml"
    file.write_text(f'{EMBER}\n[acceleration]\ngraphs = "on"\nsteps = 0\nlinear = "fp8"\n')
    with pytest.raises(PresetError) as told:
        load_preset(str(file))
    assert "acceleration.graphs: 'on' is not true or false" in str(told.value)
    assert "acceleration.steps: 0 is outside 1 to 50" in str(told.value)
    assert "acceleration.linear: is unknown, did you mean 'linears'" in str(told.value)


def test_an_engine_is_told_by_words_and_by_message() -> None:
    choice = SourceChoice(accelerate=("graphs=off", "steps=2"))
    words = engine_words(choice, Path("ring"))
    assert [word for word in acceleration_words(choice.accelerate) if word not in words] == []
    start = Start("ring", "ember", accelerate=choice.accelerate)
    assert decode(encode(start)) == start
