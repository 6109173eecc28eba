"""Pictures of a file, an address, a device or a lavfi graph, one by one with their times; at a rate; at a size.

Knows nothing of models, chunks or live shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import av

BT601, BT709 = "ITU601", "ITU709"
SD_LINES = 720  # untagged video below is BT.601, from here on BT.709
MATRIX_OF_TAG = {1: BT709, 5: BT601, 6: BT601}
FULL_RANGE_TAG = 2
LAVFI = "lavfi:"
DEVICE = "device:"
DEVICE_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


class PictureError(ValueError):
    """A picture or clip that cannot be used; the text is the sentence for the user."""


def decoded(source: str) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames with their times in seconds, to the end. Raises PictureError.

    A source is a file, an address, `lavfi:GRAPH`, or a device: its name, or what it is below /dev/.
    """
    try:
        import av
    except ModuleNotFoundError:
        raise PictureError("pictures and clips need PyAV: `pip install av`") from None
    name, form = _opened_as(source)
    try:
        with av.open(name, format=form) as file:
            if not file.streams.video:
                raise PictureError(f"{source}: there is no picture in it")
            for number, frame in enumerate(file.decode(video=0)):
                rate = float(file.streams.video[0].average_rate or 1)
                yield (frame.time if frame.time is not None else number / rate), frame
    except av.error.InvalidDataError:
        raise PictureError(f"{source} cannot be read: it is no picture or film, or a damaged one") from None
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, PictureError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PictureError(f"{source} cannot be read ({reason})") from None


def _opened_as(source: str) -> tuple[str, str | None]:
    """What FFmpeg is to open, and as what; None = as it looks."""
    if source.startswith(LAVFI):
        return source.removeprefix(LAVFI), "lavfi"
    if _is_device(source):
        form = DEVICE_FORMATS.get(sys.platform)
        name = source.removeprefix(DEVICE)
        return (f"video={name}" if form == "dshow" else _node_of(name) if form == "v4l2" else name), form
    return source, None


def _is_device(source: str) -> bool:
    """Whether it says so, or is the bare name of something that is no file here."""
    if source.startswith((DEVICE, "/dev/")):
        return True
    is_bare = not any(sign in source for sign in ("/", "\\", "."))
    return is_bare and not Path(source).exists()


def _node_of(name: str) -> str:
    """The node of a V4L2 device with a name, or what was given."""
    for folder in sorted(Path("/sys/class/video4linux").glob("video*")):
        if (folder / "name").read_text("utf-8").strip() == name:
            return f"/dev/{folder.name}"
    return name


def at_rate(timed: Iterator[tuple[float, av.VideoFrame]], rate_fps: float) -> Iterator[tuple[av.VideoFrame, int]]:
    """Each frame with how many ticks of the rate it is the newest one for; the last one always has one."""
    shown, last, begin_s = 0, None, 0.0
    for time_s, frame in timed:
        if last is None:
            begin_s = time_s
        else:
            due = _ticks_before(time_s - begin_s, rate_fps)
            if due > shown:
                yield last, due - shown
                shown = due
        last = frame
    if last is not None:
        yield last, 1


def _ticks_before(time_s: float, rate_fps: float) -> int:
    """Ticks 0, 1, 2 .. that lie before a time."""
    return max(0, int(np.ceil(time_s * rate_fps - 1e-3)))


def fitted(frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
    """Scaled until it covers width x height, the overhang cut off evenly: (H, W, 4) uint8, its own alpha."""
    turned = frame.rotation % 180 != 0
    across, down = (frame.height, frame.width) if turned else (frame.width, frame.height)
    scale = max(width / across, height / down)
    scaled = (max(width, round(across * scale)), max(height, round(down * scale)))
    to_width, to_height = scaled[::-1] if turned else scaled
    pixels = frame.reformat(
        to_width,
        to_height,
        "rgba",
        src_colorspace=_matrix(frame),
        src_color_range="JPEG" if _is_full_range(frame) else "MPEG",
        dst_color_range="JPEG",
        interpolation="AREA" if scale < 1 else "BICUBIC",
    ).to_ndarray()
    pixels = np.rot90(pixels, frame.rotation // 90) if frame.rotation % 360 else pixels
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def _matrix(frame: av.VideoFrame) -> str:
    tag = int(frame.colorspace)
    if tag in MATRIX_OF_TAG:
        return MATRIX_OF_TAG[tag]
    return BT709 if frame.height >= SD_LINES else BT601


def _is_full_range(frame: av.VideoFrame) -> bool:
    return int(frame.color_range) == FULL_RANGE_TAG or frame.format.is_rgb or frame.format.name.startswith("yuvj")
