"""From a decoded frame to RGB by the frame's own tags: matrix and range. Untagged: BT.601 below 720 lines, else 709.

PyAV and OpenCV. Knows nothing of where frames come from.
"""

from __future__ import annotations

import av
import cv2
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
SCALING = Interpolation.BILINEAR
PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})
ROTATIONS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}  # by quarter turns
FULL_RANGE_FORMATS = "yuvj"  # how the names of formats begin that are full range whatever else is said


class RgbConverter:
    """Converts the frames of one source; a frame of another size or format than the last is fine. One thread."""

    def __init__(self) -> None:
        self._to_planar = VideoReformatter()
        self._to_rgb = VideoReformatter()

    def to_rgb(
        self, frame: av.VideoFrame, shown_share: tuple[float, float] = (1.0, 1.0), pixel_aspect: float = 1.0
    ) -> np.ndarray:
        """Return (H, W, 3) uint8 sRGB, full range, of square pixels, the right way up as the frame says.

        Halved until `shown_share` of its sides is within LARGEST. Raises ValueError for a pixel format that cannot
        be converted.
        """
        width, height = shown_size(*square_size(frame.width, frame.height, pixel_aspect), shown_share)
        turns = round(frame.rotation / 90) % 4  # phones write what they were held as
        pixels, matrix, range_ = frame.format.name, matrix_of(frame), range_of(frame)
        planar = planar_of(frame)
        try:
            if planar != pixels or (width, height) != (frame.width, frame.height):
                frame = self._to_planar.reformat(
                    frame, width, height, planar, matrix, matrix, SCALING, range_, range_, threads=1
                )
            rgb = self._to_rgb.reformat(
                frame, width, height, "rgb24", matrix, Colorspace.ITU709, SCALING, range_, ColorRange.JPEG, threads=1
            )
        except (av.FFmpegError, OSError) as error:
            raise ValueError(f"pixels of format {pixels} cannot be shown: {error}") from None
        return cv2.rotate(rgb.to_ndarray(), ROTATIONS[turns]) if turns else rgb.to_ndarray()


def planar_of(frame: av.VideoFrame) -> str:
    """Format that a frame goes through on its way: from 8 bit planes the way to RGB is fast and right.

    From others (nv12, yuyv422, 10 bits) it is five times slower and up to three levels off.
    """
    pixels = frame.format
    if pixels.is_rgb or pixels.name.startswith(("gray", "pal8", "mono")) or pixels.name in PLANAR:
        return pixels.name
    return "yuv420p" if pixels.chroma_height(HD_LINES) < HD_LINES else "yuv422p"


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


def square_size(width: int, height: int, pixel_aspect: float) -> tuple[int, int]:
    """Size of the same picture in square pixels; none is left out."""
    return (round(width * pixel_aspect), height) if pixel_aspect >= 1.0 else (width, round(height / pixel_aspect))


def shown_size(width: int, height: int, shown_share: tuple[float, float]) -> tuple[int, int]:
    """Halve a size until what is shown of it (shares of its sides) is within LARGEST."""
    while width * shown_share[0] > LARGEST[0] or height * shown_share[1] > LARGEST[1]:
        width, height = max(1, width // 2), max(1, height // 2)
    return width, height
