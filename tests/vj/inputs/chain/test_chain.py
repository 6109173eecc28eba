"""The chain against plain numpy formulas: placing, levels, keys on a drawn green screen, delay."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vj.inputs.chain.chain import BAND_PIXELS, Chain
from vj.inputs.chain.delay import DelayLine
from vj.inputs.chain.key import hue_of
from vj.inputs.chain.placing import crop, fit, letterbox, resize
from vj.inputs.params import INPUT_PARAMETERS, LEAST_LEFT, InputParams

REST = InputParams.from_values({p.address: p.default for p in INPUT_PARAMETERS}, 1)
MS = 1_000_000


def noise(width: int, height: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, channels), dtype=np.uint8)


def through(picture: np.ndarray, size: tuple[int, int] | None = None, **settings: object) -> np.ndarray:
    chosen = dataclasses.replace(REST, **settings)
    return Chain().apply(picture, chosen, size or picture.shape[1::-1])


def test_at_rest_every_byte_is_as_it_came_and_opaque():
    picture = noise(64, 48)
    shown = through(picture)
    assert np.array_equal(shown[..., :3], picture)
    assert (shown[..., 3] == 255).all()


def test_crops_cut_shares_and_leave_something_when_they_meet():
    picture = noise(200, 100)
    assert np.array_equal(crop(picture, 0.1, 0.2, 0.25, 0.0), picture[25:, 20:160])
    for sides in ((0.9, 0.9, 0.0, 0.0), (0.0, 0.0, 0.9, 0.9), (0.9, 0.9, 0.9, 0.9)):
        left = crop(picture, *sides)
        assert left.shape[1] >= 200 * LEAST_LEFT - 1 if sides[0] else left.shape[1] == 200
        assert left.shape[0] >= 100 * LEAST_LEFT - 1 if sides[2] else left.shape[0] == 100
    assert crop(noise(1, 1), 0.9, 0.9, 0.9, 0.9).shape == (1, 1, 3)


@pytest.mark.parametrize("shape", [(1920, 1080), (720, 576), (33, 97), (1, 1), (641, 359)])
@pytest.mark.parametrize("how", ["fill", "fit", "stretch"])
def test_whatever_comes_has_the_size_that_was_asked_for(shape: tuple[int, int], how: str):
    frame, place = fit(noise(*shape), how, (160, 96))
    assert frame.shape == (96, 160, 3)
    assert (place.width == 160 or place.height == 96) and place.left >= 0 and place.top >= 0


def test_fill_takes_the_middle_fit_shows_all_between_clear_bars():
    wide = np.zeros((40, 160, 3), np.uint8)
    wide[:, :40] = 255  # the left quarter is lost when a square is filled
    assert (through(wide, (40, 40), fit="fill")[..., :3] == 0).all()
    whole = through(wide, (160, 160), fit="fit", black=0.0, white=0.5, gamma=2.0)
    assert letterbox(160, 40, (160, 160)).top == 60
    assert (whole[:60] == 0).all() and (whole[100:] == 0).all()
    assert (whole[60:100, :40] == 255).all() and (whole[60:100, 40:, 3] == 255).all()


def test_shrinking_is_the_mean_of_blocks():
    picture = noise(96, 64)
    expected = picture.reshape(16, 4, 24, 4, 3).mean((1, 3))
    assert np.abs(resize(picture, (24, 16)) - expected).max() <= 1.0
    stripes = np.zeros((90, 230, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(resize(stripes, (100, 40)).astype(int) - 127.5).max() < 4  # 2.3 times smaller, and no aliasing


def test_flips_swap_sides():
    picture = noise(20, 10)
    assert np.array_equal(through(picture, flip_h=True)[..., :3], picture[:, ::-1])
    assert np.array_equal(through(picture, flip_v=True)[..., :3], picture[::-1])
    assert np.array_equal(through(picture, flip_h=True, flip_v=True)[..., :3], picture[::-1, ::-1])


@pytest.mark.parametrize(
    ("black", "white", "gamma"), [(0.1, 0.8, 1.0), (0.0, 1.0, 2.2), (0.2, 0.9, 0.5), (0.6, 0.4, 1.0)]
)
def test_levels_are_the_formula(black: float, white: float, gamma: float):
    picture = noise(64, 32)
    spread = np.clip((picture / 255 - black) / max(1 / 255, white - black), 0, 1)
    expected = 255 * spread ** (1 / gamma)
    assert np.abs(through(picture, black=black, white=white, gamma=gamma)[..., :3] - expected).max() <= 0.5


def chroma_by_formula(picture: np.ndarray, hue: float, tolerance: float, softness: float) -> np.ndarray:
    red, green, blue = (picture[..., k].astype(float) for k in range(3))
    across, up = red - (green + blue) / 2, np.sqrt(3) / 2 * (green - blue)
    turn = np.radians(hue)
    x, y = across * np.cos(turn) + up * np.sin(turn), -across * np.sin(turn) + up * np.cos(turn)
    key = np.clip(x - np.abs(y), 0, None) / np.maximum(picture.max(-1), 48)
    out = (1 - tolerance) ** 2
    return 255 * np.clip((out - key) / (out * softness), 0, 1)


@pytest.mark.parametrize("hue", [0.0, 120.0, 213.0])
def test_the_colour_key_is_the_formula(hue: float):
    picture = noise(160, 90)
    alpha = through(picture, key="chroma", key_hue=hue, key_tolerance=0.3, key_softness=0.8, key_spill=0.0)[..., 3]
    assert np.abs(alpha - chroma_by_formula(picture, hue, 0.3, 0.8)).max() <= 255 * 3 / 48 / 0.39  # bytes of the dark
    assert np.abs(alpha - chroma_by_formula(picture, hue, 0.3, 0.8)).mean() < 2


def test_bands_leave_no_seam():
    picture = np.tile(noise(1280, 1), (3 * BAND_PIXELS // 1280, 1, 1))  # all rows alike
    shown = through(picture, key="chroma", gamma=1.4, key_softness=0.9)
    assert (shown == shown[:1]).all()


def green_screen() -> tuple[np.ndarray, np.ndarray]:
    """A grey and a skin-coloured disc before an uneven, noisy green screen; and where they are."""
    rows, columns = np.mgrid[:180, :320]
    light = 0.6 + 0.4 * columns / 320
    picture = np.stack([50 * light, 190 * light, 70 * light], -1)
    discs = np.zeros((180, 320), bool)
    for middle, colour in ((90, (130, 130, 135)), (230, (205, 150, 120))):
        disc = (columns - middle) ** 2 + (rows - 90) ** 2 < 45**2
        picture[disc] = colour
        discs |= disc
    noisy = picture + np.random.default_rng(3).normal(0, 4, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), discs


def test_a_green_screen_goes_and_what_stands_before_it_stays():
    picture, discs = green_screen()
    keyed = through(picture, key="chroma")  # as the parameters come
    assert (keyed[discs, 3] == 255).mean() > 0.999
    assert (keyed[~discs, 3] == 0).mean() > 0.98
    turned = through(picture, key="chroma", key_invert=True)
    assert np.array_equal(turned[..., 3], 255 - keyed[..., 3])
    assert np.array_equal(turned[..., :3], picture)


def test_what_is_keyed_out_keeps_its_colour_and_spill_leaves_what_stays():
    picture, discs = green_screen()
    picture[discs] = (130, 170, 130)  # lit by the screen
    keyed = through(picture, key="chroma", key_spill=1.0)
    out = keyed[..., 3] == 0
    assert np.array_equal(keyed[out][:, :3], picture[out])
    red, green, blue = keyed[discs][:, :3].astype(int).mean(0)
    assert abs(green - (red + blue) / 2) < 2  # no green left
    luma = (0.2126, 0.7152, 0.0722)
    assert abs(np.dot((red, green, blue), luma) - np.dot((130, 170, 130), luma)) < 2


def test_the_brightness_key_is_the_formula():
    picture = noise(64, 64)
    luma = picture @ np.array((0.2126, 0.7152, 0.0722)) / 255
    expected = 255 * np.clip((luma - 0.3) / 0.2, 0, 1)
    alpha = through(picture, key="luma", key_tolerance=0.3, key_softness=0.2)[..., 3]
    assert np.abs(alpha - expected).max() <= 8  # a byte of brightness is six of alpha


@pytest.mark.parametrize(
    ("colour", "hue"), [((255, 0, 0), 0), ((0, 255, 0), 120), ((0, 0, 255), 240), ((90, 90, 0), 60)]
)
def test_a_picked_colour_is_the_one_that_goes(colour: tuple[int, int, int], hue: float):
    assert hue_of(*colour) == pytest.approx(hue)
    patch = np.full((4, 4, 3), colour, np.uint8)
    assert (through(patch, key="chroma", key_hue=hue_of(*colour))[..., 3] == 0).all()


def test_a_delay_gives_each_picture_at_its_time_and_the_newest_of_several():
    line = DelayLine()
    for k in range(10):
        line.push(np.full((2, 2, 3), k, np.uint8), k * 40 * MS)
    assert line.pop_due(99 * MS, 100.0) is None
    picture, arrived_ns = line.pop_due(100 * MS, 100.0)
    assert (picture[0, 0, 0], arrived_ns) == (0, 0)
    assert line.pop_due(110 * MS, 100.0) is None
    assert line.pop_due(300 * MS, 100.0)[1] == 200 * MS
    assert line.pop_due(300 * MS, 0.0)[1] == 280 * MS  # shorter: at once further on


def test_a_long_delay_is_kept_in_bounded_memory_by_fewer_pictures():
    picture = np.zeros((10, 10, 3), np.uint8)
    line = DelayLine(most_bytes=20 * picture.nbytes)
    late_ms = []
    for k in range(1000):
        line.push(picture, k * 10 * MS)
        assert line.held_bytes <= 20 * picture.nbytes
        if due := line.pop_due(k * 10 * MS, 500.0):
            late_ms.append(k * 10 - due[1] / MS)
    assert len(late_ms) > 100
    assert min(late_ms) >= 500 and max(late_ms) <= 500 + 80
    for k in range(1000, 1100):
        line.push(picture, k * 10 * MS)
        due = line.pop_due(k * 10 * MS, 0.0)
    assert due is not None  # every one again
