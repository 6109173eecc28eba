"""From a decoded frame to RGB by the frame's own tags: matrix and range. Untagged: BT.601 below 720 lines, else 709.

PyAV and numpy. Knows nothing of where frames come from.
"""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

HD_LINES = 720
LARGEST = (1920, 1080)  # what is larger is halved in the same pass: no reader shows more
MATRICES = {  # AVColorSpace of a frame to the matrix it is read with
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND  # SIMD without it is off by up to three levels
FULL_RANGE_FORMATS = "yuvj"  # how the names of formats begin that are full range whatever else is said


class RgbConverter:
    """Converts the frames of one source; a frame of another size or format than the last is fine. One thread."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def to_rgb(self, frame: av.VideoFrame, shown_share: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
        """Return (H, W, 3) uint8 sRGB, full range; halved until `shown_share` of its sides is within LARGEST.

        Raises ValueError for a pixel format that cannot be converted.
        """
        width, height = shown_size(frame.width, frame.height, shown_share)
        try:
            rgb = self._reformatter.reformat(
                frame,
                width,
                height,
                "rgb24",
                src_colorspace=matrix_of(frame),
                dst_colorspace=Colorspace.ITU709,
                interpolation=Interpolation.BILINEAR if (width, height) != (frame.width, frame.height) else EXACT,
                src_color_range=range_of(frame),
                dst_color_range=ColorRange.JPEG,
                threads=1,
            )
        except (av.FFmpegError, OSError) as error:
            raise ValueError(f"pixels of format {frame.format.name} cannot be shown: {error}") from None
        return rgb.to_ndarray()


def matrix_of(frame: av.VideoFrame) -> int:
    """Matrix a frame is to be read with: its tag, else by its lines."""
    by_lines = Colorspace.ITU709 if frame.height >= HD_LINES else Colorspace.ITU601
    return MATRICES.get(frame.colorspace, by_lines)


def range_of(frame: av.VideoFrame) -> int:
    """Range a frame is to be read with: its tag, else that of its format."""
    if frame.color_range in (ColorRange.MPEG, ColorRange.JPEG):
        return frame.color_range
    is_full = frame.format.is_rgb or frame.format.name.startswith((FULL_RANGE_FORMATS, "gray", "pal8"))
    return ColorRange.JPEG if is_full else ColorRange.MPEG


def shown_size(width: int, height: int, shown_share: tuple[float, float]) -> tuple[int, int]:
    """Halve a size until what is shown of it (shares of its sides) is within LARGEST."""
    while width * shown_share[0] > LARGEST[0] or height * shown_share[1] > LARGEST[1]:
        width, height = max(1, width // 2), max(1, height // 2)
    return width, height
