"""Colours by the frames' own tags: what a film was made with is what is seen."""

from __future__ import annotations

import av
import numpy as np
import pytest

from vj.inputs.colour import RgbConverter, shown_size

LUMA = {"709": (0.2126, 0.0722), "601": (0.299, 0.114)}
TAGS = {"709": 1, "601": 6, "none": 2}
PATCHES = [(200, 40, 60), (30, 180, 70), (20, 60, 220), (128, 128, 128), (250, 250, 250), (5, 5, 5)]


def frame_of(rgb, *, matrix: str, tag: str, full: bool, size: tuple[int, int], tagged_range: bool = True):
    """A yuv444p frame of one colour, computed here from the standards' own formula."""
    red_share, blue_share = LUMA[matrix]
    red, green, blue = (value / 255 for value in rgb)
    luma = red_share * red + (1 - red_share - blue_share) * green + blue_share * blue
    blue_difference, red_difference = (blue - luma) / (2 - 2 * blue_share), (red - luma) / (2 - 2 * red_share)
    if full:
        planes = luma * 255, 128 + 255 * blue_difference, 128 + 255 * red_difference
    else:
        planes = 16 + 219 * luma, 128 + 224 * blue_difference, 128 + 224 * red_difference
    values = np.stack([np.full((size[1], size[0]), min(255, round(plane)), np.uint8) for plane in planes])
    frame = av.VideoFrame.from_ndarray(values, "yuv444p")
    frame.colorspace = TAGS[tag]
    frame.color_range = (2 if full else 1) if tagged_range else 0
    return frame


@pytest.mark.parametrize("rgb", PATCHES)
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("matrix", ["709", "601"])
def test_tagged_frames_are_read_by_their_tags(rgb, full, matrix):
    for size in ((64, 48), (64, 1080)):
        seen = RgbConverter().to_rgb(frame_of(rgb, matrix=matrix, tag=matrix, full=full, size=size))
        assert seen.shape == (size[1], size[0], 3)
        assert np.abs(seen.reshape(-1, 3).astype(int) - rgb).max() <= 2


@pytest.mark.parametrize(("lines", "matrix"), [(576, "601"), (720, "709"), (1080, "709")])
def test_untagged_frames_are_601_below_720_lines(lines, matrix):
    rgb = (200, 40, 60)
    frame = frame_of(rgb, matrix=matrix, tag="none", full=False, size=(64, lines), tagged_range=False)
    assert np.abs(RgbConverter().to_rgb(frame).reshape(-1, 3).astype(int) - rgb).max() <= 2


@pytest.mark.parametrize("pixels", ["yuv420p", "nv12", "yuyv422", "uyvy422", "yuv422p10le", "p010le"])
def test_every_kind_of_pixels_gives_the_same_colours(pixels):
    for rgb in PATCHES:
        frame = frame_of(rgb, matrix="709", tag="709", full=False, size=(64, 48)).reformat(format=pixels)
        frame.colorspace, frame.color_range = 1, 1
        assert np.abs(RgbConverter().to_rgb(frame).reshape(-1, 3).astype(int) - rgb).max() <= 2, rgb


def test_one_converter_takes_frames_of_any_kind_in_turn():
    converter = RgbConverter()
    for size in ((64, 48), (48, 64), (64, 48)):
        for full in (True, False):
            frame = frame_of((30, 180, 70), matrix="601", tag="601", full=full, size=size)
            assert np.abs(converter.to_rgb(frame).reshape(-1, 3).astype(int) - (30, 180, 70)).max() <= 2
    grey = av.VideoFrame.from_ndarray(np.full((48, 64), 200, np.uint8), "gray")
    assert np.abs(converter.to_rgb(grey).astype(int) - 200).max() <= 1


def test_what_is_larger_than_any_reader_shows_is_halved():
    assert shown_size(1920, 1080, (1.0, 1.0)) == (1920, 1080)
    assert shown_size(3840, 2160, (1.0, 1.0)) == (1920, 1080)
    assert shown_size(3840, 2160, (0.5, 0.5)) == (3840, 2160)
