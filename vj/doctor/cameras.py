"""Cameras and capture cards, by FFmpeg's devices: the same list as `vj inputs list`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.finding import Finding, found, missing

PART = "cameras"
SHOWN_FORMATS = 3


def check_cameras() -> Iterator[Finding]:
    """Yield the cameras there are."""
    try:
        from vj.inputs.listing import device_formats
        from vj.inputs.sources.device import list_devices
    except ImportError as error:
        yield missing(PART, "PyAV", f"cannot be loaded: {error}", "python3 start.py")
        return
    devices = list_devices()
    for device in devices:
        yield found(PART, device.name, ", ".join((device.place, *device_formats(device)[:SHOWN_FORMATS])))
    if not devices:
        yield missing(PART, "cameras", "none", "plug one in; `vj inputs list` tells what else can be opened")
