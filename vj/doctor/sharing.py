"""What sending to other programs needs besides its packages: NDI's library and discovery, a virtual camera's driver.

Packages that are missing are told among the extras.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from engine.finding import FOUND, MISSING, Finding
from vj.sharing.drivers import AVAHI, CAMERA_DRIVERS, camera_name
from vj.sharing.kinds import KINDS, Kind, why_not

PART = "sharing"
LOOPBACKS = Path("/sys/devices/virtual/video4linux")


def check_sharing() -> Iterator[Finding]:
    """Yield what is there for each kind whose package is installed."""
    for kind in KINDS:
        if why_not(kind):
            continue
        if kind.word == "ndi":
            yield from _check_ndi(kind)
        elif kind.word == "camera":
            yield _check_camera(kind)
        else:
            yield _found(kind.label, f"{kind.module} is installed")


def _check_ndi(kind: Kind) -> Iterator[Finding]:
    try:
        from cyndilib.wrapper.ndi_structs import get_ndi_version
    except ImportError as error:
        yield _missing(kind.label, f"its library cannot be loaded: {error}", kind.install)
        return
    yield _found(kind.label, get_ndi_version())
    if sys.platform == "linux":
        if AVAHI.exists():
            yield _found("NDI discovery", "avahi-daemon runs")
        else:
            detail = "avahi-daemon does not run: other computers find no sender by its name"
            yield _missing("NDI discovery", detail, "sudo apt install avahi-daemon")


def _check_camera(kind: Kind) -> Finding:
    if sys.platform != "linux":
        return _found(
            kind.label, f"{kind.module} is installed; {CAMERA_DRIVERS.get(sys.platform, '')} if none is found"
        )
    devices = sorted(path.name for path in LOOPBACKS.glob("video*"))
    if not devices:
        return _missing(kind.label, "v4l2loopback makes none", CAMERA_DRIVERS["linux"])
    return _found(kind.label, ", ".join(f"/dev/{name} {camera_name(f'/dev/{name}')}" for name in devices))


def _found(name: str, detail: str) -> Finding:
    return Finding(PART, name, FOUND, detail, is_extra=True)


def _missing(name: str, detail: str, fix: str) -> Finding:
    return Finding(PART, name, MISSING, detail, fix, is_extra=True)
