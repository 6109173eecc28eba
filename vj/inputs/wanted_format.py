"""What a device is asked for: pixel format or codec, size and rate, all optional, in one short text.

Knows nothing of devices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGEST_SIDE = 8192
HIGHEST_RATE_FPS = 1000.0
_EXAMPLES = "write it as in 1920x1080@60, mjpeg 1280x720@30 or @50"
_FORMAT = re.compile(
    r"(?:(?P<codec>[a-zA-Z][a-zA-Z0-9_]*)(?:\s+|$))?"
    r"(?:(?P<width>\d{1,6})\s*[xX×*]\s*(?P<height>\d{1,6}))?\s*"
    r"(?:@\s*(?P<rate>\d{1,4}(?:\.\d{1,4})?))?"
)


@dataclass(frozen=True)
class WantedFormat:
    """What is asked for; empty, None and 0 leave it to the device."""

    codec: str = ""  # a codec (mjpeg, h264) or a pixel format (yuyv422, nv12)
    size: tuple[int, int] | None = None  # width, height
    rate_fps: float = 0.0


def read_format(text: str) -> WantedFormat:
    """Read a format's text; empty asks for nothing. Raises ValueError with a sentence."""
    match = _FORMAT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"format {text!r} cannot be read: {_EXAMPLES}")
    size = (int(match["width"]), int(match["height"])) if match["width"] else None
    rate_fps = float(match["rate"] or 0.0)
    if size is not None and not all(1 <= side <= LARGEST_SIDE for side in size):
        raise ValueError(f"format {text!r}: sides go from 1 to {LARGEST_SIDE} pixels")
    if match["rate"] and not 0.0 < rate_fps <= HIGHEST_RATE_FPS:
        raise ValueError(f"format {text!r}: rates go from above 0 to {HIGHEST_RATE_FPS:g} frames a second")
    return WantedFormat((match["codec"] or "").lower(), size, rate_fps)
