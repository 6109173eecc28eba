"""Pictures and clips as frames to go on from: size, colours, rate, direction, and what is left out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.rendering.given_frames import read_clip, read_picture, whole_frames
from engine.video_file import VideoFile
from engine.video_in.picture_files import PictureError

RED, BLUE = (200, 20, 10), (10, 30, 220)


def halves(width: int, height: int) -> np.ndarray:
    """Red on the left, blue on the right: (H, W, 4) uint8."""
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[:, : width // 2, :3], pixels[:, width // 2 :, :3] = RED, BLUE
    return pixels


def write_picture(path: Path, pixels: np.ndarray) -> Path:
    codec, form = ("png", "rgb24") if path.suffix == ".png" else ("mjpeg", "yuvj444p")
    with av.open(str(path), "w", format="image2") as file:
        stream = file.add_stream(codec, 1)
        stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], form
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[..., :3]), format="rgb24")
        if form != "rgb24":
            frame = frame.reformat(format=form, dst_colorspace="ITU601", dst_color_range="JPEG")
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def write_clip(path: Path, levels: list[int], rate_fps: float) -> Path:
    """One grey level per frame, lossless."""
    with VideoFile(path, width=64, height=48, rate_fps=rate_fps, is_lossless=True) as file:
        for level in levels:
            file.write(np.full((1, 48, 64, 4), level, np.uint8))
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_picture_covers_the_frame_and_keeps_its_colours(tmp_path: Path, name: str) -> None:
    given = read_picture(write_picture(tmp_path / name, halves(200, 80)), 64, 48)
    assert given.frames.shape == (1, 48, 64, 4)
    assert (given.frames[..., 3] == 255).all()
    assert np.abs(given.frames[0, :, :28, :3].astype(int) - RED).max() <= 6
    assert np.abs(given.frames[0, :, 36:, :3].astype(int) - BLUE).max() <= 6, "cut off evenly on both sides"


def test_a_clip_is_read_at_the_models_rate_up_to_whole_chunks(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", list(range(64)), 30.0)  # the last one lies at 2.1 s
    given = read_clip(path, 64, 48, 16.0, 3)
    levels = given.frames[:, 0, 0, 0].astype(int)
    assert len(levels) == 33, "9 + 12 + 12"
    assert levels[-1] == 63, "the very last frame is what is gone on from"
    assert set(np.diff(levels)) <= {1, 2}, "30/s played at 16/s"
    (note,) = given.notes
    assert "the last 33 of 35 frames at 16/s" in note


def test_a_slow_clip_repeats_its_frames(tmp_path: Path) -> None:
    given = read_clip(write_clip(tmp_path / "a.mkv", [10, 20, 30], 4.0), 64, 48, 16.0, 3)
    assert given.frames[:, 0, 0, 0].tolist() == [10] * 4 + [20] * 4 + [30]
    assert given.notes == ()


@pytest.mark.parametrize(
    ("frames", "kept"), [(1, 1), (4, 1), (5, 5), (8, 5), (9, 9), (20, 9), (21, 21), (33, 33), (480, 477)]
)
def test_whole_chunks_or_else_whole_latent_frames(frames: int, kept: int) -> None:
    assert whole_frames(frames, 3) == kept


def test_a_clip_of_a_phone_held_upright_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", Fraction(16))
        stream.width, stream.height, stream.pix_fmt = 96, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(halves(96, 48)[..., :3]), format="rgb24")
        file.mux(stream.encode(frame.reformat(format="yuv420p")))
        file.mux(stream.encode())
    content = bytearray(path.read_bytes())
    unity = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], ">i4").tobytes()
    quarter = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], ">i4").tobytes()
    at = content.rfind(unity)  # the track's display matrix; the movie's comes before
    content[at : at + 36] = quarter
    path.write_bytes(content)
    upright = read_picture(path, 48, 96).frames[0]
    assert abs(int(upright[5, 24, 0]) - RED[0]) < 30, "a quarter clockwise: what was left is on top"
    assert abs(int(upright[-5, 24, 2]) - BLUE[2]) < 30


def test_what_is_no_picture_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(PictureError, match=r"a\.png cannot be read"):
        read_picture(tmp_path / "a.png", 64, 48)
    with pytest.raises(PictureError, match="No such file"):
        read_clip(tmp_path / "missing.mp4", 64, 48, 16.0, 3)
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(tmp_path, 64, 48)
