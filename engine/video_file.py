"""Video files: RGBA frames in, H.264 or lossless FFV1 out, tagged, and whole or not there at all.

Knows nothing of who makes the frames.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np

LOSSY_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
LOSSLESS_FORMATS = {".mkv": "matroska"}
LOSSY_CODECS = ("libx264", "libopenh264", "mpeg4")  # the first one this build of PyAV has
X264_OPTIONS = {
    "crf": "14",  # no difference to be seen beside the source at 256x144
    "preset": "veryfast",
    # x264's fast code for its rate control is not repeatable: on a busy machine every third file came out different
    "x264-params": "cpu-independent=1:sync-lookahead=0",
}
PLAIN_RATE = 8_000_000  # bit/s, for encoders that know no quality
ENCODER_THREADS = 1  # fixed: the number changes the file, and more of them would stall the generator's own threads
FRAGMENTS = "+frag_keyframe+empty_moov+default_base_moof"  # no index at the end: nothing to lose
BT709 = 1  # H.273 code point, the same number for primaries, transfer and matrix
SRGB_TRANSFER = 13
RGB_MATRIX = 0
LIMITED_RANGE, FULL_RANGE = 1, 2  # FFmpeg's AVCOL_RANGE_*


LOSSLESS_PIXELS = {"format": "bgr0"}
# full-range RGB to limited-range BT.709; code values keep their sRGB curve, as players expect
LOSSY_PIXELS = {
    "format": "yuv420p",
    "src_colorspace": "ITU709",
    "dst_colorspace": "ITU709",
    "src_color_range": "JPEG",
    "dst_color_range": "MPEG",
}


class VideoFileError(Exception):
    """A file that cannot be written; the text is the sentence for the user."""


def check_output(path: Path, is_lossless: bool) -> None:
    """Raise VideoFileError with a sentence unless `path` can become a video file of that kind."""
    formats = LOSSLESS_FORMATS if is_lossless else LOSSY_FORMATS
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise VideoFileError(f"{path} cannot be written ({error.strerror}): choose another name") from None
    if is_folder:
        raise VideoFileError(f"{path} is a folder: name a file in it, for example {path / 'clip'}{min(formats)}")
    if path.suffix.lower() not in formats:
        kind = "lossless video (FFV1)" if is_lossless else "video"
        raise VideoFileError(
            f"{path}: {path.suffix or 'no extension'} is no {kind} known here; use {', '.join(sorted(formats))}"
        )
    if not path.parent.is_dir():
        raise VideoFileError(f"{path}: the folder {path.parent} does not exist: make it first")
    if path.exists() and not os.access(path, os.W_OK):
        raise VideoFileError(f"{path} is read-only: choose another name or allow writing")
    partial = _partial(path)
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise VideoFileError(f"{path} cannot be written ({error.strerror}): choose another folder") from None


class VideoFile:
    """One file being written. It appears under its name when `finish` succeeds; until then it is NAME.partial.

    An endless one is in fragments, playable as far as written, and is kept whatever ends it.

    Frames are RGBA8, sRGB, BT.709 primaries, full range; alpha is dropped. Lossy files are yuv420p, BT.709, limited;
    lossless ones are RGB. Raises VideoFileError when the disk or the encoder refuses.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate_fps: float,
        is_lossless: bool = False,
        is_endless: bool = False,
    ) -> None:
        import av

        self._is_endless = is_endless

        self._path = path
        self._is_lossless = is_lossless
        self._errors = (av.error.FFmpegError, OSError)
        self._pixels = LOSSLESS_PIXELS if is_lossless else LOSSY_PIXELS
        self._frame_count = 0
        format_name = (LOSSLESS_FORMATS if is_lossless else LOSSY_FORMATS)[path.suffix.lower()]
        options = {"fflags": "+bitexact"}  # no dates and no random ids: the same frames are the same file
        if format_name != "matroska":
            options["movflags"] = FRAGMENTS if is_endless else "+faststart"
        with self._sentences():
            self._container = av.open(str(_partial(path)), "w", format=format_name, container_options=options)
            rate = Fraction(rate_fps).limit_denominator(1001)
            self._stream = self._container.add_stream("ffv1" if is_lossless else _lossy_codec(), rate)
            self._stream.width, self._stream.height = width, height
            self._time_base = 1 / rate
            self._tag()

    def write(self, frames: np.ndarray) -> None:
        """Append frames (T, H, W, 4) uint8 RGBA."""
        import av

        with self._sentences():
            for pixels in frames:
                frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
                frame = frame.reformat(**self._pixels)
                frame.pts = self._frame_count
                frame.time_base = self._time_base
                self._frame_count += 1
                self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds and give the file its name."""
        with self._sentences():
            self._container.mux(self._stream.encode())
            self._container.close()
            _partial(self._path).replace(self._path)

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(*self._errors):
            self._container.close()
        _partial(self._path).unlink(missing_ok=True)

    def __enter__(self) -> VideoFile:
        """Write inside `with`: the file is finished at its end, discarded when anything is raised."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish, or discard."""
        if kind is not None and not (self._is_endless and self._frame_count):
            self.discard()
            return
        if kind is not None:
            self._keep()
            return
        try:
            self.finish()
        except BaseException:  # Ctrl-C included: half a file must not stay
            self.discard()
            raise

    def _keep(self) -> None:
        """Give what is written its name, finished where the disk still allows that."""
        try:
            self.finish()
        except VideoFileError:
            with contextlib.suppress(*self._errors):
                _partial(self._path).replace(self._path)

    def _tag(self) -> None:
        context = self._stream.codec_context
        context.thread_count = ENCODER_THREADS
        context.color_primaries = BT709
        if self._is_lossless:
            context.pix_fmt = "bgr0"
            context.color_trc, context.colorspace, context.color_range = SRGB_TRANSFER, RGB_MATRIX, FULL_RANGE
            context.options = {"level": "3", "slicecrc": "1", "g": "1"}
            return
        context.pix_fmt = "yuv420p"
        context.color_trc, context.colorspace, context.color_range = BT709, BT709, LIMITED_RANGE
        if context.codec.name == "libx264":
            context.options = dict(X264_OPTIONS)
        else:
            context.bit_rate = PLAIN_RATE

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        """Turn what FFmpeg or the disk says into a sentence with the file's name."""
        try:
            yield
        except self._errors as error:
            raise VideoFileError(f"{self._path} cannot be written ({error.strerror or error})") from error


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _lossy_codec() -> str:
    import av

    return next((name for name in LOSSY_CODECS if name in av.codecs_available), LOSSY_CODECS[-1])
