"""Pictures to packets: the encoders a codec asks for are tried until one really encodes.

Belongs to the encoding thread of the recorder. Knows nothing of files or of where pictures come from.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import av
import numpy as np

from vj.recording.coders import FILE_KINDS, HARDWARE, Coder, FileKind, coded_size
from vj.recording.packets import TICKS_HZ, TIME_BASES, CodedPacket

KEY_EVERY_S = 1.0  # a replay begins with one, and a player finds its place by them
BT709, SRGB_TRANSFER, RGB_MATRIX = 1, 13, 0  # H.273 code points
LIMITED_RANGE, FULL_RANGE = 1, 2  # FFmpeg's AVCOL_RANGE_*
GLOBAL_HEADER = 1 << 22  # FFmpeg's AV_CODEC_FLAG_GLOBAL_HEADER
PROBE_SIZE, PROBE_PICTURES = (640, 360), 3
MOST_THREADS = 6
ERRORS = (av.error.FFmpegError, av.codec.codec.UnknownCodecError, ValueError, OSError, NotImplementedError)
KEY_PICTURE = 1  # FFmpeg's AV_PICTURE_TYPE_I
_LOG = logging.getLogger(__name__)


class EncoderError(RuntimeError):
    """No encoder, or one that failed: a sentence."""


class VideoEncoder:
    """One open encoder of one size."""

    def __init__(self, kind: FileKind, coder: Coder, size: tuple[int, int], rate_fps: int) -> None:
        """`size` is that of the pictures in pixels; `rate_fps` what is to be expected. Raises EncoderError."""
        self.kind, self.coder = kind, coder
        self.size = coded_size(kind, *size)
        self._key_s = -KEY_EVERY_S  # of the last key picture
        self._duration = TICKS_HZ // rate_fps
        self._held: tuple[int, av.VideoFrame] | None = None  # the last picture, by its serial, ready for the encoder
        try:
            # a container that keeps nothing, whose stream is the pattern for those of files
            self._nowhere = av.open(os.devnull, "w", format="null")
            hwaccel = av.codec.hwaccel.HWAccel(coder.device) if coder.device else None
            stream = self._nowhere.add_stream(coder.name, rate_fps, options=dict(coder.options), hwaccel=hwaccel)
            self._context = stream.codec_context
            self._set_up(rate_fps)
            self._nowhere.start_encoding()
        except ERRORS as error:
            raise EncoderError(f"{coder.words} ({coder.name}) does not open: {error}") from None
        self.template = stream

    def encode(self, serial: int, pixels: np.ndarray | None, at_ticks: int) -> list[CodedPacket]:
        """Encode a picture (H, W, 4) uint8 RGBA of any size; None = the one before once more. Raises EncoderError."""
        try:
            if pixels is not None:
                self._held = (serial, self._prepared(pixels))
            assert self._held is not None, "the first picture has pixels"
            frame = self._held[1]
            frame.pts, frame.time_base = at_ticks, TIME_BASES["video"]
            is_due = at_ticks / TICKS_HZ - self._key_s >= KEY_EVERY_S
            frame.pict_type = KEY_PICTURE if is_due else 0
            if is_due:
                self._key_s = at_ticks / TICKS_HZ
            return self._packets(frame)
        except ERRORS as error:
            raise EncoderError(f"{self.coder.words} ({self.coder.name}) failed: {error}") from None

    def holds(self, serial: int) -> bool:
        """Whether this picture of the ring was the last one given."""
        return self._held is not None and self._held[0] == serial

    def begin_with_next(self) -> None:
        """Make the next picture one that a file can begin with."""
        self._key_s = float("-inf")

    def finish(self) -> list[CodedPacket]:
        """Return what the encoder still holds; nothing can be encoded any more. Raises EncoderError."""
        try:
            return self._packets(None)
        except ERRORS as error:
            raise EncoderError(f"{self.coder.words} ({self.coder.name}) failed: {error}") from None

    def _set_up(self, rate_fps: int) -> None:
        context, coder = self._context, self.coder
        context.width, context.height = self.size
        context.pix_fmt = coder.pixels
        context.time_base = TIME_BASES["video"]
        context.framerate = Fraction(rate_fps)
        context.gop_size = 10 * rate_fps  # keys are asked for, by time
        context.flags |= GLOBAL_HEADER
        context.thread_count = max(1, min(MOST_THREADS, (os.cpu_count() or 2) // 2))
        context.color_primaries = BT709
        if _is_rgb(coder):
            context.color_trc, context.colorspace, context.color_range = SRGB_TRANSFER, RGB_MATRIX, FULL_RANGE
        else:
            context.color_trc, context.colorspace, context.color_range = BT709, BT709, LIMITED_RANGE
        if coder.bits_per_pixel:
            context.bit_rate = round(coder.bits_per_pixel * self.size[0] * self.size[1] * rate_fps)

    def _prepared(self, pixels: np.ndarray) -> av.VideoFrame:
        """A picture in the encoder's size and format; one of another size is fitted in, black around it."""
        width, height = self.size
        if pixels.shape[0] - height not in range(self.kind.multiple) or (
            pixels.shape[1] - width not in range(self.kind.multiple)
        ):
            pixels = fitted(pixels, width, height)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="rgba")
        if _is_rgb(self.coder):
            return frame.reformat(format=self.coder.pixels)
        return frame.reformat(
            format=self.coder.pixels,
            src_colorspace="ITU709",
            dst_colorspace="ITU709",
            src_color_range="JPEG",
            dst_color_range="MPEG",
        )

    def _packets(self, frame: av.VideoFrame | None) -> list[CodedPacket]:
        return [
            CodedPacket("video", bytes(packet), packet.pts, packet.dts, self._duration, packet.is_keyframe)
            for packet in self._context.encode(frame)
        ]


def fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scale (H, W, 4) uint8 into width x height pixels, whole, in the middle of black."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    inner = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    source = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
    small = source.reformat(width=inner[0], height=inner[1]).to_ndarray(format="rgba")
    canvas = np.zeros((height, width, 4), np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = small
    return canvas


def open_encoder(
    codec: str, size: tuple[int, int], rate_fps: int, avoided: frozenset[str] = frozenset()
) -> tuple[VideoEncoder, str]:
    """Open the best encoder of a codec that works, H.264's where there is none; `avoided` are encoders' names.

    Returns it and a sentence about what was not to be had, or nothing. Raises EncoderError when there is none at all.
    """
    said = ""
    for name in dict.fromkeys((codec, "h264")):
        kind = FILE_KINDS[name]
        for coder in working_coders(name, not avoided.issuperset(HARDWARE)):
            if coder.name in avoided:
                continue
            try:
                return VideoEncoder(kind, coder, size, rate_fps), said
            except EncoderError as error:
                _LOG.warning("%s", error)
        said = f"this build of FFmpeg has no encoder for {codec}; H.264 is recorded instead"
    raise EncoderError("there is no video encoder in this build of FFmpeg; pip install av brings some")


@cache
def working_coders(codec: str, with_hardware: bool = True) -> Sequence[Coder]:
    """The encoders of a codec that encode on this computer, the best first. Takes a second where drivers are slow."""
    kind = FILE_KINDS[codec]
    return tuple(coder for coder in kind.coders if (with_hardware or not coder.is_hardware) and _works(kind, coder))


def _works(kind: FileKind, coder: Coder) -> bool:
    """Whether an encoder is there; those of cards are tried, as they may be there without their card."""
    try:
        av.Codec(coder.name, "w")
    except ERRORS:
        return False
    if not coder.is_hardware:
        return True
    grey = np.full((PROBE_SIZE[1], PROBE_SIZE[0], 4), 128, np.uint8)
    try:
        encoder = VideoEncoder(kind, coder, PROBE_SIZE, 30)
        made = [packet for k in range(PROBE_PICTURES) for packet in encoder.encode(k, grey, k * TICKS_HZ // 30)]
        return bool(made or encoder.finish())
    except EncoderError as error:
        _LOG.info("%s", error)
        return False


def _is_rgb(coder: Coder) -> bool:
    return coder.pixels in ("bgr0", "rgba")
