"""The picture on a display: fit, crop, turned, mirrored, pinned, matched, sharpened; and the test card in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vj.output import picture_reference
from tests.vj.output.test_renderer import (
    SECOND_NS,
    Draw,
    context,
    draw,
    grey,
    noise_picture,
    settle,
    stream,
)
from vj.output.delay import DelayLine
from vj.output.params import OutputParams
from vj.output.placing import corners, from_target, place
from vj.output.test_card import draw_test_card

__all__ = ["context", "draw"]
WIDE, TALL = (320, 180), (180, 320)
PIN = OutputParams(pin_x=(0.1, -0.05, -0.2, 0.02), pin_y=(0.1, 0.03, -0.1, -0.2))


@pytest.fixture
def still(draw: Draw, tmp_path: Path) -> tuple[Draw, np.ndarray, float]:
    """A picture that stands, and when it has faded in."""
    picture = noise_picture()
    stream(tmp_path / "ring", np.repeat(picture[None], 9, axis=0))
    return draw, picture, settle(draw)


def nearly(got: np.ndarray, wanted: np.ndarray) -> bool:
    """Within rounding, grain and ten bits between the passes."""
    off = np.abs(got.astype(float) - wanted)
    return off.max() <= 2.5 and off.mean() < 0.6


def test_turned_and_mirrored_pixels_are_the_same_pixels(still):
    draw, picture, at_s = still
    for rotation, turns in (("90", -1), ("180", 2), ("270", 1)):
        for across in (False, True):
            for down in (False, True):
                size = WIDE if rotation == "180" else TALL
                wanted = np.rot90(picture_reference.drawn(picture, OutputParams(), WIDE), turns)
                wanted = wanted[:, ::-1] if across else wanted
                wanted = wanted[::-1] if down else wanted
                params = OutputParams(rotation=rotation, mirror_horizontal=across, mirror_vertical=down)
                assert nearly(draw(at_s, params, size=size), wanted), (rotation, across, down)


def test_a_display_on_its_side_shows_the_whole_picture_upright(still):
    draw, _, at_s = still
    drawn = draw(at_s, OutputParams(rotation="90"), size=TALL)
    assert (drawn.max(axis=-1) > 0).mean() > 0.97


def test_fit_fill_and_stretch_cover_what_they_say(draw: Draw, tmp_path: Path):
    stream(tmp_path / "ring", grey(255))
    at_s = settle(draw, (200, 200))
    covered = {
        fit: (draw(at_s, OutputParams(fit=fit), size=(200, 200)).min(axis=-1) > 0).mean()
        for fit in ("fit", "fill", "stretch")
    }
    assert covered["fit"] == pytest.approx(0.5625, abs=0.01)
    assert covered["fill"] == covered["stretch"] == 1.0
    assert place((160, 90), (200, 200), "fill").width == pytest.approx(200 * 16 / 9, abs=1)


def test_fill_keeps_the_middle_and_stretch_the_edges(still):
    draw, picture, at_s = still
    size = (180, 180)
    filled = picture_reference.drawn(picture, OutputParams(), (320, 180))[:, 70:250]
    assert nearly(draw(at_s, OutputParams(fit="fill"), size=size), filled)
    assert nearly(
        draw(at_s, OutputParams(fit="stretch"), size=size), picture_reference.drawn(picture, OutputParams(), size)
    )


def test_a_crop_leaves_the_inner_part_enlarged(still):
    draw, picture, at_s = still
    params = OutputParams(crop_left=0.25, crop_right=0.25, crop_top=0.1, crop_bottom=0.4)
    whole = picture_reference.drawn(picture, OutputParams(), (640, 360))
    wanted = whole[36 : 36 + 180, 160:480]  # the same part, of a picture twice the size
    assert nearly(draw(at_s, params, size=WIDE), wanted)


def test_pinned_corners_lie_exactly_where_they_were_put():
    size = (1280, 720)
    matrix = np.array(from_target(PIN, size)).reshape(3, 3)
    whole = [(0, 720), (1280, 720), (1280, 0), (0, 0)]  # of the canvas, from below
    for (x, y), wanted in zip(corners(PIN, size), whole, strict=True):
        way = matrix @ (x, 720 - y, 1)
        assert way[2] > 0
        assert way[:2] / way[2] == pytest.approx(wanted, abs=1e-6)


def test_a_pinned_picture_is_perspective_and_black_around(draw: Draw, tmp_path: Path):
    stream(tmp_path / "ring", grey(255))
    at_s = settle(draw)
    drawn = draw(at_s, PIN)[..., 0] / 255.0
    quad = corners(PIN, WIDE)
    x, y = quad[:, 0], quad[:, 1]
    area = 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    assert drawn.sum() == pytest.approx(area, rel=0.01)
    for corner in quad:
        inwards = corner + (quad.mean(axis=0) - corner) * 0.04
        outwards = np.clip(corner - (quad.mean(axis=0) - corner) * 0.04, 0, (319, 179))
        assert drawn[int(inwards[1]), int(inwards[0])] > 0.99
        if np.abs(outwards - corner).max() > 4:
            assert drawn[int(outwards[1]), int(outwards[0])] < 0.01


def test_corners_that_make_no_picture_are_left_alone():
    crossed = OutputParams(pin_x=(0.5, -0.5, -0.5, 0.5), pin_y=(0.5, 0.5, -0.5, -0.5))
    assert from_target(crossed, WIDE) == from_target(OutputParams(), WIDE)


def test_brightness_then_gamma(still):
    draw, picture, at_s = still
    plain = picture_reference.drawn(picture, OutputParams(), WIDE) / 255.0
    for brightness, gamma in ((0.6, 1.0), (1.0, 2.0), (1.4, 0.7)):
        wanted = 255.0 * np.clip(plain * brightness, 0.0, 1.0) ** (1.0 / gamma)
        got = draw(at_s, OutputParams(brightness=brightness, gamma=gamma))
        steep = plain > 0.03  # near black a gamma above 1 is steeper than ten bits
        assert np.abs(got - wanted)[steep].max() <= 4.0
        assert np.abs(got - wanted).mean() < 0.7


def test_sharpening_comes_nearer_to_the_sharp_picture(draw: Draw, tmp_path: Path):
    sharp = draw_test_card("Ag 88", 960, 540, 60.0)[..., :3]
    small = sharp.reshape(90, 6, 160, 6, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    stream(tmp_path / "ring", np.repeat(small[None], 9, axis=0))
    at_s = settle(draw, (960, 540))
    off = [
        np.sqrt(((draw(at_s, OutputParams(sharpen=amount), size=(960, 540)) - sharp.astype(float)) ** 2).mean())
        for amount in (0.0, 0.5, 1.0)
    ]
    assert off[1] < off[0] * 0.98
    assert off[2] < off[1]


def test_sharpening_makes_no_halos(draw: Draw, tmp_path: Path):
    edge = grey(60)
    edge[:, :, 80:] = 190
    stream(tmp_path / "ring", edge)
    at_s = settle(draw, (960, 540))
    soft, hard = (draw(at_s, OutputParams(sharpen=amount), size=(960, 540)).astype(int) for amount in (0.0, 1.0))
    assert hard.max() <= soft.max() + 2
    assert hard.min() >= soft.min() - 2
    assert np.abs(np.diff(hard[270, :, 0])).max() > np.abs(np.diff(soft[270, :, 0])).max()


def test_the_test_card_lies_as_the_picture_would(draw: Draw):
    draw.renderer.presenter._draw_card = lambda width, height: draw_test_card("HDMI-1", width, height, 59.94)
    card = draw_test_card("HDMI-1", *WIDE, 59.94)[..., :3]
    assert np.abs(draw(1.0, OutputParams(test_card=True)).astype(int) - card).max() <= 1
    turned = draw(1.0, OutputParams(test_card=True, rotation="90"), size=TALL)
    assert np.abs(turned.astype(int) - np.rot90(card, -1)).max() <= 1
    assert not draw(1.0, OutputParams(test_card=True, blackout=True)).any()


def test_the_flash_is_white_on_whole_seconds_of_the_clock_and_later_by_the_delay(draw: Draw):
    flash = OutputParams(flash_test=True)
    assert draw(5.01, flash).min() == 255
    assert draw(5.5, flash).min() < 255
    late = OutputParams(flash_test=True, delay=200.0)
    draw(5.9, late)
    assert draw(6.01, late).min() < 255
    assert draw(6.21, late).min() == 255
    assert not draw(7.21, OutputParams(flash_test=True, delay=200.0, blackout=True)).any()


def test_delay_holds_effects_back_but_not_the_panic_row():
    line, ms = DelayLine(), 1_000_000
    for k in range(40):
        line.at(SECOND_NS + k * 10 * ms, OutputParams(delay=200.0, hue=float(k)))
    at_ns, params = line.at(SECOND_NS + 400 * ms, OutputParams(delay=200.0, hue=99.0, blackout=True))
    assert at_ns == SECOND_NS + 200 * ms
    assert params.hue == 20.0
    assert params.blackout


def test_a_growing_delay_never_plays_backwards():
    line, ms = DelayLine(), 1_000_000
    seen = [line.at(SECOND_NS + k * 16 * ms, OutputParams(delay=min(400.0, 30.0 * k)))[0] for k in range(60)]
    assert (np.diff(seen) >= 0).all()
    assert seen[-1] == SECOND_NS + (59 * 16 - 400) * ms
