"""What sending needs of the system besides packages: NDI's discovery, a virtual camera's driver. Loads no library."""

from __future__ import annotations

from pathlib import Path

AVAHI = Path("/run/avahi-daemon/socket")
CAMERA_DRIVERS = {  # by sys.platform: what brings a virtual camera
    "linux": "sudo apt install v4l2loopback-dkms; sudo modprobe v4l2loopback exclusive_caps=1 card_label='VJ Output'",
    "win32": "install OBS, which brings a virtual camera, or Unity Capture",
    "darwin": "install OBS, start and stop its virtual camera once, and close it",
}
NAMES = Path("/sys/class/video4linux")


def camera_name(device: str) -> str:
    """Name a device as programs list it: on Linux its label."""
    label = NAMES / Path(device).name / "name"
    return label.read_text("utf-8").strip() if device.startswith("/dev/") and label.is_file() else device
