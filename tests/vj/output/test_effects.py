"""The effects as they are drawn: each against its reference, their order, files that change, the strobe on pixels."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vj.effects.test_flash_limit import flashes, most_in_a_second
from tests.vj.output.effect_pictures import HEIGHT, PICTURES, REFERENCES, WIDTH, draw_all, source, tile_of
from vj.effects.params import EFFECT_PARAMETERS
from vj.output.offscreen import SECOND_NS, OffscreenOutput

MEAN_TOLERANCE = 1.5  # of 255: another version of llvmpipe rounds otherwise
PIXEL_TOLERANCE, PIXELS_BEYOND = 12, 0.01
_MOMENTS = itertools.count()
DAMAGED = "gl_FragColor = vec4(nobody, 1.0);"
OWN = """/*{{ "INPUTS": [ {{ "NAME": "inputImage", "TYPE": "image" }},
   {{ "NAME": "gain", "TYPE": "float", "MAX": 2, "DEFAULT": 1 }} ] }}*/
void main() {{
    {line}
}}
"""
EVERYTHING = """/*{ "INPUTS": [ { "NAME": "inputImage", "TYPE": "image" },
  { "NAME": "hit", "TYPE": "event" }, { "NAME": "at", "TYPE": "point2D", "DEFAULT": [0.25, 0.75] } ],
  "PASSES": [ { "TARGET": "hits", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "$HEIGHT / 9" }, {} ] }*/
void main() {
    if (PASSINDEX == 0) {
        gl_FragColor = IMG_NORM_PIXEL(hits, vec2(0.5)) + vec4(hit ? 0.25 : 0.0, 0.0, 0.0, 0.0);
        return;
    }
    bool same = IMG_THIS_PIXEL(inputImage) == IMG_NORM_PIXEL(inputImage, isf_FragNormCoord)
        && IMG_PIXEL(inputImage, gl_FragCoord.xy) == texture2D(inputImage, vv_FragNormCoord)
        && IMG_SIZE(inputImage) == RENDERSIZE && IMG_SIZE(hits) == vec2(1.0, 8.0) && at == vec2(0.25, 0.75);
    float moment = TIME > 0.0 && TIMEDELTA > 0.0 && DATE.x > 2000.0 ? 1.0 : 0.0;
    gl_FragColor = vec4(IMG_NORM_PIXEL(hits, vec2(0.5)).r, same ? 1.0 : 0.0, moment * float(FRAMEINDEX) / 10.0, 1.0);
}
"""


@pytest.fixture(scope="module")
def drawn(qt_application) -> Iterator[tuple[OffscreenOutput, dict[str, np.ndarray]]]:
    """The one output of all tests, as compiling takes long here, and what it draws of everything."""
    offscreen = OffscreenOutput((WIDTH, HEIGHT))
    assert offscreen.problems() == []
    yield offscreen, draw_all(offscreen)
    offscreen.close()


@pytest.fixture
def pictures(drawn: tuple[OffscreenOutput, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return drawn[1]


@pytest.fixture
def output(drawn: tuple[OffscreenOutput, dict[str, np.ndarray]]) -> OffscreenOutput:
    return drawn[0]


@pytest.fixture
def at_s(output: OffscreenOutput) -> float:
    """A moment long after all that were drawn before."""
    moment_s = 1000.0 + 100.0 * next(_MOMENTS)
    output.draw(moment_s, source())
    return moment_s + 1.0


@pytest.mark.parametrize("name", PICTURES)
def test_every_effect_and_crossfade_looks_like_its_reference(pictures: dict[str, np.ndarray], name: str):
    reference = cv2.imread(str(REFERENCES))[..., ::-1][tile_of(PICTURES.index(name))]
    apart = np.abs(pictures[name].astype(int) - reference)
    assert apart.mean() <= MEAN_TOLERANCE
    assert (apart.max(axis=-1) > PIXEL_TOLERANCE).mean() <= PIXELS_BEYOND


def test_with_none_on_every_byte_is_as_without_effects(output: OffscreenOutput, at_s: float):
    plain = output.draw(at_s, source())
    draw = random.Random(1)
    moved = {
        p.address: draw.uniform(p.minimum, p.maximum)
        for p in EFFECT_PARAMETERS
        if p.kind == "float" and not p.address.endswith("/mix")
    }
    assert (output.draw(at_s + 0.1, source(), moved) == plain).all()
    moved["/vj/effect/user/1/mix"] = 1.0  # a slot without a file
    assert (output.draw(at_s + 0.2, source(), moved) == plain).all()
    assert np.abs(output.draw(at_s + 0.3, source(), {"/vj/effect/mirror/mix": 1e-9}).astype(int) - plain).max() <= 1


def test_order_and_mix_are_what_the_parameters_say(output: OffscreenOutput, at_s: float):
    both = {"/vj/effect/mirror/mix": 1.0, "/vj/effect/rotate_zoom/mix": 1.0, "/vj/effect/rotate_zoom/angle": 90.0}
    turned_first = output.draw(at_s, source(), both)
    mirrored_first = output.draw(at_s + 0.1, source(), both | {"/vj/effect/rotate_zoom/place": 9})
    assert np.abs(turned_first.astype(int) - turned_first[:, ::-1]).max() <= 2
    assert np.abs(mirrored_first.astype(int) - mirrored_first[:, ::-1]).mean() > 10
    plain, half = (output.draw(at_s + 0.2, source(), {"/vj/effect/edge/mix": mix}) for mix in (0.0, 0.5))
    full = output.draw(at_s + 0.4, source(), {"/vj/effect/edge/mix": 1.0})
    assert np.abs(half - (plain.astype(float) + full) / 2).max() <= 2


def test_a_file_that_does_not_compile_is_told_with_its_line_and_the_old_one_stays(
    output: OffscreenOutput, at_s: float, tmp_path
):
    path = tmp_path / "own.fs"
    path.write_text(OWN.format(line="gl_FragColor = vec4(gain * 0.5, 0.0, 0.0, 1.0);"))
    values = {"/vj/effect/user/2/file": str(path), "/vj/effect/user/2/mix": 1.0}
    output.draw(at_s, source(), values)
    assert output.problems() == []
    assert output.draw(at_s, source(), values)[0, 0].tolist() == [128, 0, 0]
    assert output.draw(at_s, source(), values | {"/vj/effect/user/2/knob/1": 1.0})[0, 0].tolist() == [255, 0, 0]
    path.write_text(OWN.format(line=DAMAGED))
    (note,) = output.problems()
    assert note.problem.startswith("own.fs: line 4: ") and "nobody" in note.problem
    assert note.problem.endswith("it plays on as it was") and note.labels == ("gain",)
    assert output.draw(at_s, source(), values)[0, 0].tolist() == [128, 0, 0]
    other = values | {"/vj/effect/user/2/file": str(tmp_path / "none.fs")}
    output.draw(at_s, source(), other)
    (note,) = output.problems()
    assert "there is no such file" in note.problem and note.problem.endswith("own.fs plays on")
    path.write_text(OWN.format(line="gl_FragColor = vec4(0.0, 1.0, 0.0, 1.0); // mended"))
    output.draw(at_s, source(), values)
    assert output.problems() == []
    assert output.draw(at_s, source(), values)[0, 0].tolist() == [0, 255, 0]


def test_what_isf_offers_is_there(output: OffscreenOutput, at_s: float, tmp_path: Path):
    path = tmp_path / "everything.fs"
    path.write_text(EVERYTHING)
    values = {"/vj/effect/user/1/file": str(path), "/vj/effect/user/1/mix": 1.0}
    output.draw(at_s, source(), values)
    assert output.problems() == []
    seen = []
    for number, knob in enumerate((0.5, 1.0, 1.0, 0.0, 1.0)):
        picture = output.draw(at_s + (number + 1) / 30, source(), values | {"/vj/effect/user/1/knob/1": knob})
        seen.append(picture[5, 5].tolist())
    wanted = [(64 * hits, 255, 25.5 * number) for number, hits in enumerate((0, 1, 1, 1, 2))]
    assert np.abs(np.array(seen) - wanted).max() <= 1, "an event is heard once for each press"


def test_the_strobe_on_pixels_keeps_to_three_flashes_whatever_moves_it(output: OffscreenOutput, at_s: float):
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    draw = random.Random(5)
    moments, dark = [], []
    for number in range(240):
        values = {
            "/vj/effect/strobe/mix": draw.choice([0.0, 0.5, 1.0]) if number > 120 else 1.0,
            "/vj/effect/strobe/rate": draw.uniform(0.5, 20.0),
            "/vj/effect/strobe/share": draw.uniform(0.05, 0.95),
        }
        moment_s = at_s + number / 60
        picture = output.draw(moment_s, white, values)
        moments.append(round(moment_s * SECOND_NS))
        dark.append(255.0 - float(picture[10, 10, 0]))
    assert most_in_a_second(flashes(moments, dark)) <= 3
    assert len(flashes(moments, dark)) >= 9
    free = {"/vj/effect/strobe/mix": 1.0, "/vj/effect/strobe/rate": 10.0, "/vj/effect/strobe/limit": False}
    lit = [float(output.draw(at_s + 5.0 + n / 60, white, free)[10, 10, 0]) for n in range(60)]
    assert len(flashes(list(range(60)), [255.0 - one for one in lit])) in (10, 11)


def test_a_freeze_holds_what_moves_by_itself(output: OffscreenOutput, at_s: float):
    values = {"/vj/effect/feedback/mix": 1.0, "/vj/effect/grain/mix": 1.0}
    for number in range(6):
        output.draw(at_s + number / 30, source(number), values)
    frozen = values | {"/vj/output/freeze": True}
    first = output.draw(at_s + 0.3, source(6), frozen)
    assert (output.draw(at_s + 3.0, source(6), frozen) == first).all()


def test_decks_are_dissolved_in_linear_light_and_the_ends_are_exact(output: OffscreenOutput, at_s: float):
    black, white = (np.full((HEIGHT, WIDTH, 3), value, np.uint8) for value in (0, 255))
    half = output.draw(at_s, black, over=(white, 0.5))
    assert abs(int(half[9, 9, 0]) - 188) <= 1, "half the light, not half the number"
    for name in ("dissolve", "add", "dip", "luma_wipe", "wipe", "zoom"):
        values = {"/vj/effect/crossfade": name}
        begun, done = (output.draw(at_s, source(), values, over=(white, share)) for share in (0.0, 1.0))
        assert np.abs(begun.astype(int) - output.draw(at_s, source())).max() <= 2, name
        assert done.min() >= 254, name


def test_the_example_of_the_documentation_compiles(output: OffscreenOutput, at_s: float, tmp_path: Path):
    page = Path(__file__).resolve().parents[3] / "docs" / "effects.md"
    path = tmp_path / "lines.fs"
    path.write_text(page.read_text("utf-8").split("```glsl\n")[1].split("```")[0])
    values = {"/vj/effect/user/3/file": str(path), "/vj/effect/user/3/mix": 1.0}
    plain = output.draw(at_s, source(), values)
    assert output.problems() == []
    assert (output.draw(at_s, source(), values) != plain).mean() > 0.3
