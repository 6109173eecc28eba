"""A picture or a clip as frames a stream can begin with: at the model's size and rate, RGBA8, sRGB, full range.

Knows nothing of models or latents beyond how many frames make whole ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.vae.latents import FRAMES_PER_LATENT

if TYPE_CHECKING:
    import av

LONGEST_S = 30.0  # of a clip, its end: window and sink hold far less
BT601, BT709 = "ITU601", "ITU709"
SD_LINES = 720  # untagged video below is BT.601, from here on BT.709
MATRIX_OF_TAG = {1: BT709, 5: BT601, 6: BT601}
FULL_RANGE_TAG = 2


class GivenFramesError(ValueError):
    """A picture or clip that cannot be used; the text is the sentence for the user."""


@dataclass(frozen=True)
class GivenFrames:
    """What a stream begins with."""

    frames: np.ndarray  # (T, H, W, 4) uint8, T = 1 + 4k
    notes: tuple[str, ...] = ()  # what was left out of the file


def read_picture(path: Path, width: int, height: int) -> GivenFrames:
    """Read the first frame of a picture or a clip. Raises GivenFramesError."""
    for _, frame in _decoded(path):
        return GivenFrames(_fitted(frame, width, height)[None])
    raise GivenFramesError(f"{path}: there is no picture in it")


def read_clip(path: Path, width: int, height: int, rate_fps: float, chunk_frames: int) -> GivenFrames:
    """Read a clip at `rate_fps`, as much of its end as whole chunks of latent frames hold. Raises GivenFramesError."""
    kept: deque[np.ndarray] = deque(maxlen=round(LONGEST_S * rate_fps))
    total = 0
    for frame, copies in _at_rate(_decoded(path), rate_fps):
        pixels = _fitted(frame, width, height)
        kept.extend([pixels] * copies)
        total += copies
    if not kept:
        raise GivenFramesError(f"{path}: there is no picture in it")
    count = whole_frames(len(kept), chunk_frames)
    notes = [f"{path}: the last {count} of {total} frames at {rate_fps:g}/s are gone on from"] if count < total else []
    if count == 1 < chunk_frames and total > 1:
        notes.append(
            f"{path}: give at least {whole_frames(10**6, chunk_frames, most_chunks=1)} frames for motion to go on"
        )
    return GivenFrames(np.stack(list(kept)[len(kept) - count :]), tuple(notes))


def whole_frames(frames: int, chunk_frames: int, most_chunks: int | None = None) -> int:
    """How many of `frames` whole chunks hold; of less than a chunk, what whole latent frames hold."""
    latents = 1 + (frames - 1) // FRAMES_PER_LATENT
    chunks = latents // chunk_frames if most_chunks is None else min(most_chunks, latents // chunk_frames)
    return 1 + FRAMES_PER_LATENT * ((chunks * chunk_frames or latents) - 1)


def _decoded(path: Path) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames with their times in seconds."""
    try:
        import av
    except ModuleNotFoundError:
        raise GivenFramesError("pictures and clips need PyAV: `pip install av`") from None
    try:
        with av.open(str(path)) as file:
            if not file.streams.video:
                raise GivenFramesError(f"{path}: there is no picture in it")
            for number, frame in enumerate(file.decode(video=0)):
                rate = float(file.streams.video[0].average_rate or 1)
                yield (frame.time if frame.time is not None else number / rate), frame
    except (av.error.FFmpegError, OSError) as error:
        raise GivenFramesError(f"{path} cannot be read ({error.strerror or error})") from None


def _at_rate(timed: Iterator[tuple[float, av.VideoFrame]], rate_fps: float) -> Iterator[tuple[av.VideoFrame, int]]:
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


def _fitted(frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
    """Scaled until it covers width x height, the overhang cut off evenly: (H, W, 4) uint8."""
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
    cut = np.ascontiguousarray(pixels[top : top + height, left : left + width])
    cut[..., 3] = 255
    return cut


def _matrix(frame: av.VideoFrame) -> str:
    tag = int(frame.colorspace)
    if tag in MATRIX_OF_TAG:
        return MATRIX_OF_TAG[tag]
    return BT709 if frame.height >= SD_LINES else BT601


def _is_full_range(frame: av.VideoFrame) -> bool:
    return int(frame.color_range) == FULL_RANGE_TAG or frame.format.is_rgb or frame.format.name.startswith("yuvj")
