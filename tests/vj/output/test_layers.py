"""Inputs under and over the picture, captured from a real GL context, against plain formulas."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.video_in.given import FADED_S, HELD_S
from engine.video_in.input_ring import HEADER, MAGIC, ring_name
from tests.vj.output.layer_theatre import REFRESH_S, Theatre, one_layer, opaque, ramp
from tests.vj.output.test_renderer import SECOND_NS, context, grey
from vj.output.layer_params import BLENDS, LayerParams
from vj.output.params import OutputParams
from vj.output.small_picture import laid_together

__all__ = ["context"]


@pytest.fixture
def theatre(context: None, tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path)
    yield theatre
    theatre.close()


def light(value: np.ndarray) -> np.ndarray:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def value(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0) ** (1 / 2.4) - 0.055)


def mixed(low: np.ndarray, high: np.ndarray, blend: str, share: np.ndarray | float = 1.0) -> np.ndarray:
    """What `high` on `low` should be, both uint8; 0..255."""
    a, b = low / 255.0, high / 255.0
    if blend == "add":
        return value(np.minimum(light(a) + share * light(b), 1.0)) * 255.0
    whole = {
        "normal": b,
        "screen": 1.0 - (1.0 - a) * (1.0 - b),
        "multiply": a * b,
        "difference": np.abs(a - b),
        "lighten": np.maximum(a, b),
        "darken": np.minimum(a, b),
        "overlay": np.where(a < 0.5, 2.0 * a * b, 1.0 - 2.0 * (1.0 - a) * (1.0 - b)),
        "subtract": np.maximum(a - b, 0.0),
    }[blend]
    return value((1.0 - share) * light(a) + share * light(whole)) * 255.0


def is_near(got: np.ndarray, wanted: np.ndarray, most: float = 3.0) -> bool:
    off = np.abs(got.astype(float) - wanted)
    return bool(off.max() <= most and off.mean() < 0.8)


def is_colour(got: np.ndarray, *wanted: int) -> bool:
    """Within grain and rounding."""
    return bool((np.abs(got.astype(int) - wanted) <= 1).all())


@pytest.mark.parametrize("blend", BLENDS)
def test_each_blend_is_its_formula_over_the_picture_and_under_it(theatre: Theatre, blend: str):
    picture, laid = ramp(1), ramp(0)
    theatre.play(np.repeat(picture[None], 9, axis=0))
    theatre.give(opaque(laid))
    for opacity in (1.0, 0.4):
        theatre.layers = one_layer(blend=blend, opacity=opacity)
        # steep ends of the curve make more of a rounding in ten bits
        assert is_near(theatre.draw(), mixed(picture, laid, blend, opacity), 6.0), opacity
        theatre.give(opaque(laid))
        theatre.layers = replace(one_layer(place="under"), picture_blend=blend, picture_opacity=opacity)
        assert is_near(theatre.draw(), mixed(laid, picture, blend, opacity), 6.0), opacity


@pytest.mark.parametrize("blend", BLENDS)
def test_the_panels_small_picture_is_the_outputs(theatre: Theatre, blend: str):
    picture = ramp(1)
    theatre.play(np.repeat(picture[None], 9, axis=0))
    keyed = opaque(ramp(0))
    keyed[:, 60:90, 3] = 0
    for layers in (
        one_layer(blend=blend, opacity=0.6, scale=0.5, x=0.2, y=-0.1, rotation=30.0),
        replace(one_layer(place="under"), picture_blend=blend, picture_opacity=0.7, picture_key=0.2),
    ):
        theatre.give(keyed)
        theatre.layers = layers
        drawn = theatre.draw()
        composition = theatre.scenes.scene_at(round(theatre.at_s * SECOND_NS), theatre.params).composition
        small = laid_together(opaque(picture), composition)[..., :3]
        off = np.abs(drawn.astype(int) - small)
        assert np.median(off) <= 1
        assert (off.max(axis=-1) > 12).mean() < 0.02  # edges, which it does not smooth


def test_without_an_input_every_byte_is_as_without_layers(theatre: Theatre):
    theatre.play(np.repeat(ramp(1)[None], 9, axis=0))
    plain = theatre.draw()
    theatre.layers = one_layer(opacity=1.0)
    assert (theatre.draw() == plain).all()  # nothing was ever given
    theatre.give(opaque(ramp(0)))
    assert (theatre.draw() != plain).any()
    theatre.layers = LayerParams()
    assert (theatre.draw() == plain).all()


def test_a_frame_is_seen_within_two_refreshes_and_uploaded_once(theatre: Theatre, monkeypatch):
    from OpenGL import GL

    uploads = []
    upload = GL.glTexSubImage2D
    theatre.play(grey(60))
    theatre.layers = one_layer()
    theatre.draw()
    theatre.at_s += 0.2
    for brightness in (200, 20, 120):
        theatre.give(opaque(np.full((90, 160, 3), brightness, np.uint8)))
        first, second = theatre.draw(), theatre.draw()
        assert (np.abs(second.astype(int) - brightness) <= 1).all()
        assert (first == second).all()
    monkeypatch.setattr(GL, "glTexSubImage2D", lambda *words: uploads.append(upload(*words)))
    for _ in range(5):
        theatre.draw()
    assert not uploads


def test_key_opacity_place_and_turn_act(theatre: Theatre):
    theatre.play(grey(0))
    half = opaque(np.full((90, 160, 3), 255, np.uint8))
    half[:, :80, 3] = 0
    half[:45, :, :3] = (255, 0, 0)
    theatre.give(half)
    theatre.layers = one_layer()
    keyed = theatre.draw()
    assert not keyed[:, :78].any()
    assert is_colour(keyed[10, 120], 255, 0, 0)
    assert (keyed[80, 120] == 255).all()
    theatre.layers = one_layer(uses_key=False)
    assert (theatre.draw()[80, 20] == 255).all()
    theatre.layers = one_layer(uses_key=False, x=0.25, y=0.5, scale=0.5)
    small = theatre.draw()
    lit = np.argwhere(small.max(axis=-1) > 128)
    assert np.abs(lit.min(axis=0) - (67.5, 80)).max() <= 1
    assert small[89, 82].any()
    theatre.layers = one_layer(uses_key=False, scale=0.5, rotation=90.0)
    turned = theatre.draw()  # clockwise: what was above is on the right
    assert is_colour(turned[45, 90], 255, 0, 0)
    assert (turned[45, 70] == 255).all()
    assert not turned[45, 20].any()


def test_fit_shows_all_and_fill_covers(theatre: Theatre):
    theatre.play(grey(0))
    theatre.give(opaque(np.full((100, 100, 3), 255, np.uint8)))
    theatre.layers = one_layer(fit="fit")
    assert abs((theatre.draw().max(axis=-1) > 128).mean() - 90 / 160) < 0.02
    for fit in ("fill", "stretch"):
        theatre.layers = one_layer(fit=fit)
        assert theatre.draw().min() == 255


def test_a_layer_lies_in_the_pictures_frame_whatever_the_output(theatre: Theatre):
    theatre.play(grey(40))
    pixels = opaque(np.zeros((90, 160, 3), np.uint8))
    pixels[:, 80:, 0] = 255
    theatre.give(pixels)
    theatre.layers = one_layer(blend="lighten")
    tall = theatre.draw((160, 160))
    assert not tall[:34].any()  # bars stay black
    assert is_colour(tall[80, 100], 255, 40, 40)
    theatre.params = OutputParams(crop_left=0.5)  # the right half alone
    assert is_colour(theatre.draw()[45, 50:110], 255, 40, 40)
    theatre.params = OutputParams(zoom=2.0)
    assert (theatre.draw()[45, 70] == 40).all()
    assert is_colour(theatre.draw()[45, 90], 255, 40, 40)
    theatre.params = OutputParams(rotation="180")
    assert is_colour(theatre.draw()[45, 20], 255, 40, 40)


def test_dark_parts_of_the_picture_let_what_is_under_through(theatre: Theatre):
    picture = np.repeat(ramp(1)[..., :1], 3, axis=-1)  # black to white
    theatre.play(np.repeat(picture[None], 9, axis=0))
    under = np.full((90, 160, 3), (0, 200, 0), np.uint8)
    theatre.give(opaque(under))
    theatre.layers = replace(one_layer(place="under"), picture_key=0.3, picture_softness=0.2)
    bright = picture[..., :1] / 255.0
    t = np.clip((bright - 0.3) / 0.2, 0.0, 1.0)
    share = t * t * (3.0 - 2.0 * t)
    assert is_near(theatre.draw(), (1.0 - share) * under + share * picture, 6.0)


def test_panic_row_and_effects_act_on_the_whole(theatre: Theatre):
    theatre.play(grey(0))
    red = opaque(np.full((90, 160, 3), (200, 0, 0), np.uint8))
    theatre.give(red)
    theatre.layers = one_layer()
    theatre.params = OutputParams(level=0.5)
    assert is_colour(theatre.draw()[45, 80], 100, 0, 0)
    theatre.params = OutputParams(hue=120.0)
    assert is_colour(theatre.draw()[45, 80], 0, 200, 0)
    theatre.params = OutputParams(blackout=True)
    assert not theatre.draw().any()
    theatre.params = OutputParams(freeze=True)
    theatre.give(opaque(np.full((90, 160, 3), (0, 0, 200), np.uint8)))
    assert is_colour(theatre.draw()[45, 80], 200, 0, 0)
    theatre.params = OutputParams()
    assert is_colour(theatre.draw()[45, 80], 0, 0, 200)


def test_a_layer_is_shown_before_any_stream(theatre: Theatre):
    theatre.give(opaque(np.full((90, 160, 3), 255, np.uint8)))
    theatre.layers = one_layer()
    assert theatre.draw().min() == 255


def test_an_input_that_goes_is_held_then_faded_and_picked_up_again(theatre: Theatre):
    theatre.play(grey(0))
    white = opaque(np.full((90, 160, 3), 255, np.uint8))
    theatre.layers = one_layer()
    theatre.give(white)
    theatre.draw()
    theatre.give(white)
    theatre.draw()
    gone_s, seen = theatre.at_s, []
    while theatre.at_s < gone_s + HELD_S + FADED_S + 0.3:
        seen.append((theatre.at_s - gone_s, float(light(theatre.draw()[45, 80, 0] / 255.0))))
        theatre.at_s += 0.1
    assert all(abs(left - 1.0) < 0.02 for age_s, left in seen if age_s < HELD_S - 0.05)
    wanted = [np.clip(1.0 - (age_s - HELD_S) / FADED_S, 0.0, 1.0) for age_s, _ in seen]
    assert max(abs(left - one) for (_, left), one in zip(seen, wanted, strict=True)) < 0.03
    assert seen[-1][1] == 0.0
    theatre.give(white)
    assert theatre.draw().min() == 255


def test_the_picture_comes_back_whole_when_what_lies_under_it_is_lost(theatre: Theatre):
    theatre.play(grey(180))
    theatre.layers = replace(one_layer(place="under"), picture_blend="multiply", picture_opacity=0.5)
    theatre.give(opaque(np.zeros((90, 160, 3), np.uint8)))
    assert theatre.draw().max() < 180
    theatre.at_s += HELD_S + FADED_S - 0.05
    assert np.abs(theatre.draw().astype(int) - 180).max() <= 8
    theatre.at_s += 0.2
    assert np.abs(theatre.draw().astype(int) - 180).max() <= 1


def test_an_output_delay_holds_layers_back_too(theatre: Theatre):
    theatre.play(grey(0))
    theatre.layers = one_layer()
    theatre.params = OutputParams(delay=100.0)
    for brightness in (50, 250):
        given_s = theatre.at_s
        for _ in range(15):
            theatre.give(opaque(np.full((90, 160, 3), brightness, np.uint8)))
            shown = theatre.draw().max()
            after_s = theatre.at_s - REFRESH_S - given_s
            if brightness == 250 and abs(after_s - 0.1) > REFRESH_S / 2:
                assert abs(int(shown) - (250 if after_s > 0.1 else 50)) <= 1


def test_whatever_is_in_the_file_the_picture_goes_on(theatre: Theatre):
    theatre.play(grey(90))
    theatre.layers = one_layer()
    path = theatre.folder / ring_name(1, "layer")
    whole = HEADER.pack(MAGIC, 64, 36, 3, 1, 2)
    for strange in (b"", b"x" * 10000, whole, HEADER.pack(MAGIC, 2**31, 2**31, 3, 1, 1).ljust(9000, b"\0")):
        path.write_bytes(strange)
        theatre.at_s += 0.2
        assert np.abs(theatre.draw().astype(int) - 90).max() <= 1
    path.unlink()
    os.mkfifo(path)  # opening one would wait for whoever writes into it
    theatre.at_s += 0.2
    assert np.abs(theatre.draw().astype(int) - 90).max() <= 1
    path.unlink()
    theatre.give(opaque(np.full((90, 160, 3), 255, np.uint8)))
    theatre.at_s += 0.2
    assert theatre.draw().min() == 255
    with path.open("r+b") as file:  # cut short while it is open: a mapped file would end the process
        file.truncate(100)
    for _ in range(3):
        theatre.at_s += 0.2
        assert theatre.draw().min() == 255  # held
