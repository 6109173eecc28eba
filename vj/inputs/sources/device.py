"""Cameras and capture cards: found by part of their name, opened with the system's own driver.

V4L2 on Linux, AVFoundation on macOS, DirectShow on Windows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import av

from vj.inputs.params import InputParams
from vj.inputs.sources.container import Opening
from vj.inputs.sources.live import LOW_LATENCY, LiveSource
from vj.inputs.sources.source import SourceError
from vj.inputs.wanted_format import WantedFormat, read_format

DRIVERS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
CODECS = ("mjpeg", "h264", "hevc")  # other words of a format are pixel formats
SCREEN_OF_AVFOUNDATION = "Capture screen"  # screens are devices there
NAMED = 4  # devices that a sentence names


@dataclass(frozen=True)
class Device:
    """One camera or card."""

    place: str  # what it is opened by: /dev/video0, an index, a path of DirectShow's
    name: str  # what people call it


def device_source(wanted: str, settings: InputParams) -> LiveSource:
    """Open the device whose name holds `wanted`, in the format asked for. Raises SourceError."""
    try:
        asked = read_format(settings.format)
    except ValueError as error:
        raise SourceError(str(error)) from None
    device = find_device(wanted, list_devices())
    return LiveSource(device_opening(device, asked, sys.platform), device.name, lambda: _hint(asked))


def list_devices() -> tuple[Device, ...]:
    """List cameras and cards; empty where there are none or they cannot be listed."""
    driver = DRIVERS.get(sys.platform)
    if driver is None:
        return ()
    try:
        found = av.enumerate_input_devices(driver)
    except (ValueError, av.FFmpegError, OSError):  # FileNotFoundError where /dev/video* is missing
        return ()
    # v4l2 does not say which of its nodes give pictures
    cameras = [one for one in found if driver == "v4l2" or "video" in one.media_types]
    return tuple(
        Device(one.name, one.description or one.name)
        for one in cameras
        if not one.description.startswith(SCREEN_OF_AVFOUNDATION)
    )


def find_device(wanted: str, devices: Sequence[Device]) -> Device:
    """Choose by place, else by name, else by part of it. Raises SourceError that names what there is."""
    if wanted.startswith("/dev/"):
        return next((one for one in devices if one.place == wanted), Device(wanted, wanted))
    low = wanted.lower()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for one in devices:
            if fits(one.name.lower(), low):
                return one
    there = ", ".join(repr(one.name) for one in devices[:NAMED]) or "none"
    raise SourceError(f"there is no device whose name holds {wanted!r} and no such file; devices here: {there}")


def device_opening(device: Device, asked: WantedFormat, platform: str) -> Opening:
    """Say what FFmpeg is to open, and with which options, on a platform (as sys.platform names it)."""
    options = dict(LOW_LATENCY)
    if asked.size is not None:
        options["video_size"] = f"{asked.size[0]}x{asked.size[1]}"
    if asked.rate_fps:
        options["framerate"] = f"{asked.rate_fps:g}"
    is_codec = asked.codec in CODECS
    if platform == "darwin":
        options["framerate"] = options.get("framerate", "30")  # its own default is one that no camera has
        if asked.codec and not is_codec:
            options["pixel_format"] = asked.codec
        return Opening(f"{device.place}:none", "avfoundation", options)
    if platform == "win32":
        options["rtbufsize"] = "64M"  # a picture that is late is dropped; too little room loses all of them
        if asked.codec:
            options["vcodec" if is_codec else "pixel_format"] = asked.codec
        return Opening(f"video={device.place}", "dshow", options)
    if asked.codec:
        options["input_format"] = asked.codec
    return Opening(device.place, "v4l2", options)


def _hint(asked: WantedFormat) -> str:
    return (
        "" if asked == WantedFormat() else "it may not have the format asked for: `vj inputs list` tells those it has"
    )
