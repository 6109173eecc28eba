"""Cameras, by FFmpeg's devices."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from engine.finding import Finding, found, missing

PART = "cameras"
DRIVERS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


def check_cameras() -> Iterator[Finding]:
    """Yield the cameras there are."""
    try:
        import av
    except ImportError as error:
        yield missing(PART, "PyAV", f"cannot be loaded: {error}", "python3 start.py")
        return
    try:
        devices = av.enumerate_input_devices(DRIVERS.get(sys.platform, ""))
    except (AttributeError, ValueError, av.FFmpegError) as error:  # AttributeError: an older PyAV
        yield missing(PART, "cameras", f"cannot be looked for: {error}", "python3 start.py")
        return
    cameras = [device for device in devices if "video" in device.media_types or sys.platform == "linux"]
    for camera in cameras:
        yield found(PART, camera.name, camera.description)
    if not cameras:
        yield missing(PART, "cameras", "none", "plug one in")
