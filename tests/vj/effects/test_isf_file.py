"""Effect files: what is read, and what is told of one that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from vj.effects.buffer_size import buffer_size
from vj.effects.chain import EffectUse, effects_in, knob_labels
from vj.effects.isf_file import EffectFileError, read_effect
from vj.effects.isf_glsl import fault_line
from vj.effects.params import EFFECT_PARAMETERS, mix_address, place_address
from vj.effects.shipped import FAULTS, SHIPPED, SHIPPED_FADES
from vj.modulation.params import TARGETS

WANTED = {"feedback", "kaleidoscope", "mirror", "rgb_split", "strobe", "posterise", "edge", "bloom", "displacement"}
WANTED |= {"tile", "rotate_zoom", "colour_map", "grain", "blur"}


def written(folder: Path, header: str, body: str = "void main() { gl_FragColor = vec4(1.0); }\n") -> Path:
    path = folder / "own.fs"
    path.write_text(f"// mine\n/*{header}*/\n{body}")
    return path


def test_everything_that_ships_is_read_and_says_what_it_is():
    assert not FAULTS
    assert set(SHIPPED) == WANTED
    assert {"dissolve", "add", "luma_wipe"} <= set(SHIPPED_FADES)
    for effect in SHIPPED.values():
        assert effect.description and effect.place
        for held in effect.inputs:
            assert held.help.endswith("."), f"{effect.name}: {held.name}"
    addresses = {parameter.address for parameter in EFFECT_PARAMETERS if parameter.kind != "text"}
    assert addresses - set(TARGETS) == {"/vj/effect/strobe/limit"}, "all but the limit can be modulated"


def test_all_kinds_of_inputs_and_passes_are_read(tmp_path: Path):
    path = written(
        tmp_path,
        """{ "DESCRIPTION": "all", "INPUTS": [
        { "NAME": "inputImage", "TYPE": "image" }, { "NAME": "f", "TYPE": "float", "MIN": -1, "MAX": 3, "DEFAULT": 9 },
        { "NAME": "b", "TYPE": "bool", "DEFAULT": true }, { "NAME": "e", "TYPE": "event" },
        { "NAME": "l", "TYPE": "long", "VALUES": [4, 8], "LABELS": ["few", "many"], "DEFAULT": 8 },
        { "NAME": "c", "TYPE": "color", "DEFAULT": [1, 0.5, 0, 1] }, { "NAME": "p", "TYPE": "point2D", "LABEL": "at" }],
        "PASSES": [ { "TARGET": "kept", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH/2" }, {} ] }""",
    )
    effect = read_effect(path)
    assert [held.default for held in effect.inputs] == [(3.0,), (1.0,), (0.0,), (1.0,), (1.0, 0.5, 0.0), (0.0, 0.0)]
    assert knob_labels(effect) == ("f", "b", "e", "l", "c red", "c green", "c blue", "at x")
    assert [one.target for one in effect.passes] == ["kept", ""] and effect.passes[0].is_float
    assert effect.body.lstrip().startswith("void main") and effect.body_line == 7
    resting, turned = (EffectUse("user/1", 1.0, "own", knobs=(knob,) * 8) for knob in (0.5, 0.75))
    assert resting.numbers(effect.inputs[0], 0) == (3.0,), "in the middle each is at its default"
    assert turned.numbers(effect.inputs[4], 4) == (1.0, 0.75, 0.5)
    assert turned.numbers(effect.inputs[5], 7) == (0.5, 0.0), "no knob is left for y"


@pytest.mark.parametrize(
    ("header", "line", "words"),
    [
        ("{ }}", 2, "not JSON"),
        ('{ "INPUTS": [\n { "NAME": "wave", "TYPE": "audio" } ] }', 3, "modulators"),
        ('{ "INPUTS": [\n\n { "NAME": "x", "TYPE": "flaot" } ] }', 4, "did you mean 'float'"),
        ('{ "INPUTS": [ { "NAME": "mask", "TYPE": "image" } ] }', 2, "inputImage"),
        ('{\n "IMPORTED": { "a": { "PATH": "a.png" } } }', 3, "not supported"),
        ('{ "PASSES": [ { "TARGET": "a",\n "WIDTH": "$WIDTH ** 9" } ] }', 3, "nothing a size can be made of"),
        ('{ "INPUTS": [ { "NAME": "f", "TYPE": "float", "MIN": 2, "MAX": 1 } ] }', 2, "not below its MAX"),
        ('{ "INPUTS": [ { "NAME": "two words", "TYPE": "float" } ] }', 2, "letters"),
    ],
)
def test_what_is_not_supported_is_told_with_its_line(tmp_path: Path, header: str, line: int, words: str):
    with pytest.raises(EffectFileError) as caught:
        read_effect(written(tmp_path, header))
    assert caught.value.line == line
    assert words in caught.value.told and caught.value.told.startswith(f"own.fs: line {line}: ")


def test_a_file_without_a_header_or_with_a_vertex_shader_is_refused(tmp_path: Path):
    (tmp_path / "plain.fs").write_text("void main() {}")
    with pytest.raises(EffectFileError, match="no ISF header"):
        read_effect(tmp_path / "plain.fs")
    path = written(tmp_path, "{}")
    path.with_suffix(".vs").touch()
    with pytest.raises(EffectFileError, match="vertex shaders"):
        read_effect(path)


def test_sizes_are_worked_out():
    values = {"WIDTH": 640.0, "HEIGHT": 360.0, "cells": 9.0}
    assert buffer_size("$WIDTH / 4", values) == 160
    assert buffer_size("floor($HEIGHT/7.0)*2", values) == 102
    assert buffer_size("max(1, $cells - 20)", values) == 1
    with pytest.raises(ValueError, match="has no value"):
        buffer_size("$WIDTH / 0", values)


@pytest.mark.parametrize(
    "words",
    [
        "0:12(5): error: `foo' undeclared",
        "0(12) : error C1503: undefined variable",
        "ERROR: 0:12: 'foo' : undeclared identifier",
    ],
)
def test_every_drivers_line_is_found(words: str):
    assert fault_line(f"warning\n{words}\n")[0] == 12


def test_order_follows_the_places_and_equal_places_the_chain():
    values = {mix_address(name): 1.0 for name in ("bloom", "tile", "mirror")}
    assert [use.name for use in effects_in(values)] == ["tile", "mirror", "bloom"]
    values |= {place_address("bloom"): 1, place_address("tile"): 4}
    assert [use.name for use in effects_in(values)] == ["bloom", "tile", "mirror"]
    assert effects_in({}) == ()
