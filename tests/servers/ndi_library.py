"""The NDI library itself, which the extra `ndi` brings: receives every picture of a source in order.

The Python package's own receiver puts a frame sync over each source, which keeps the newest picture alone.
"""

from __future__ import annotations

import ctypes
import importlib.util
import time
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_float, c_int, c_int64, c_uint32, c_void_p
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

RGBX_RGBA, HIGHEST, VIDEO = 2, 100, 1
TICKS_PER_S = 10_000_000


class _Source(Structure):
    _fields_ = (("name", c_char_p), ("address", c_char_p))


class _Opening(Structure):
    _fields_ = (
        *(("source", _Source), ("colour", c_int), ("bandwidth", c_int)),
        *(("is_interlaced_wanted", c_bool), ("name", c_char_p)),
    )


class _Video(Structure):
    _fields_ = (
        *(("width", c_int), ("height", c_int), ("four_cc", c_int), ("rate_top", c_int), ("rate_bottom", c_int)),
        *(("aspect", c_float), ("format", c_int), ("timecode", c_int64), ("data", c_void_p), ("stride", c_int)),
        *(("metadata", c_char_p), ("timestamp", c_int64)),
    )


@dataclass(frozen=True)
class NdiPicture:
    """One picture as it came."""

    pixels: np.ndarray  # (H, W, 4) uint8 RGBA or RGBX
    moment_ns: int  # time.monotonic_ns() when it came
    timecode_s: float
    rate: Fraction


def find_library() -> Path | None:
    """Return the library's file; None where the extra is not installed, or keeps it elsewhere."""
    package = importlib.util.find_spec("cyndilib")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    return next(
        iter((*folder.parent.glob("cyndilib.libs/libndi*"), *folder.glob("wrapper/bin/**/libndi*.dylib"))), None
    )


class NdiReceiver:
    """One connection. Belongs to one thread."""

    def __init__(self, wanted: str, find_s: float) -> None:
        """Find the source whose name holds `wanted`. Raises TimeoutError that names those there are."""
        found = find_library()
        assert found is not None, "the extra ndi is not installed"
        self._ndi = library = ctypes.CDLL(str(found))
        library.NDIlib_find_create_v2.restype = library.NDIlib_recv_create_v3.restype = c_void_p
        library.NDIlib_find_get_current_sources.restype = POINTER(_Source)
        finder = c_void_p(library.NDIlib_find_create_v2(None))
        until_s = time.monotonic() + find_s
        while (source := self._find(finder, wanted)) is None:
            if time.monotonic() > until_s:
                raise TimeoutError(f"no NDI source {wanted!r} within {find_s:g} s")
            library.NDIlib_find_wait_for_sources(finder, c_uint32(100))
        self.source = source.name.decode()
        opening = _Opening(source, RGBX_RGBA, HIGHEST, False, b"watch")
        self._receiver = c_void_p(library.NDIlib_recv_create_v3(byref(opening)))

    def _find(self, finder: c_void_p, wanted: str) -> _Source | None:
        count = c_uint32()
        sources = self._ndi.NDIlib_find_get_current_sources(finder, byref(count))
        return next((one for one in sources[: count.value] if wanted in one.name.decode()), None)

    def pictures(self, seconds: float) -> Iterator[NdiPicture]:
        """Yield all that come within so long."""
        until_s = time.monotonic() + seconds
        video = _Video()
        while time.monotonic() < until_s:
            kind = self._ndi.NDIlib_recv_capture_v3(self._receiver, byref(video), None, None, c_uint32(50))
            if kind != VIDEO:
                continue
            moment_ns = time.monotonic_ns()
            data = (ctypes.c_uint8 * (video.stride * video.height)).from_address(video.data)
            lines = np.frombuffer(data, np.uint8).reshape(video.height, video.stride)[:, : 4 * video.width]
            pixels = lines.reshape(video.height, video.width, 4).copy()
            rate = Fraction(video.rate_top, video.rate_bottom)
            yield NdiPicture(pixels, moment_ns, video.timecode / TICKS_PER_S, rate)
            self._ndi.NDIlib_recv_free_video_v2(self._receiver, byref(video))

    def close(self) -> None:
        """Disconnect."""
        self._ndi.NDIlib_recv_destroy(self._receiver)
