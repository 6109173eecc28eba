"""The computer's own screen, or a part of it: `screen`, `screen:1280x720+100+50`.

x11grab on Linux, gdigrab on Windows, AVFoundation on macOS.
"""

from __future__ import annotations

import os
import re
import sys

import av

from vj.inputs.params import InputParams
from vj.inputs.sources.container import Opening
from vj.inputs.sources.device import SCREEN_OF_AVFOUNDATION
from vj.inputs.sources.live import LOW_LATENCY, LiveSource
from vj.inputs.sources.source import SourceError
from vj.inputs.wanted_format import WantedFormat, read_format

USUAL_RATE_FPS = 30.0
_PART = re.compile(r"(?P<display>:[\d.]+)?\s*(?:(?P<width>\d+)x(?P<height>\d+)(?:\+(?P<left>\d+)\+(?P<top>\d+))?)?")


def screen_source(part: str, settings: InputParams) -> LiveSource:
    """Open the screen or a part of it. Raises SourceError."""
    try:
        asked = read_format(settings.format)
    except ValueError as error:
        raise SourceError(str(error)) from None
    opening = screen_opening(part, asked, sys.platform)
    return LiveSource(opening, f"screen {part}".strip())


def screen_opening(part: str, asked: WantedFormat, platform: str) -> Opening:
    """Say what FFmpeg is to open on a platform (as sys.platform names it). Raises SourceError."""
    match = _PART.fullmatch(part.strip())
    if match is None:
        raise SourceError(f"screen:{part} cannot be read: write screen, or a part as in screen:1280x720+100+50")
    options = LOW_LATENCY | {"framerate": f"{asked.rate_fps or USUAL_RATE_FPS:g}"}
    if match["width"]:
        options["video_size"] = f"{match['width']}x{match['height']}"
    left, top = match["left"] or "0", match["top"] or "0"
    if platform == "win32":
        return Opening("desktop", "gdigrab", options | {"offset_x": left, "offset_y": top, "draw_mouse": "0"})
    if platform == "darwin":
        options.pop("video_size", None)
        return Opening(f"{_avfoundation_screen()}:none", "avfoundation", options)
    display = match["display"] or os.environ.get("DISPLAY", "")
    if not display:
        raise SourceError("there is no X display to be grabbed: DISPLAY is not set")
    return Opening(display, "x11grab", options | {"grab_x": left, "grab_y": top, "draw_mouse": "0"})


def _avfoundation_screen() -> str:
    """Index of the first screen among the devices."""
    try:
        devices = av.enumerate_input_devices("avfoundation")
    except (ValueError, av.FFmpegError, OSError):
        devices = []
    for device in devices:
        if device.description.startswith(SCREEN_OF_AVFOUNDATION):
            return device.name
    raise SourceError("no screen can be grabbed: allow screen recording for vj in the system's settings")
