"""A movement of something physical, before anyone knows what it means.

Names controls as they are printed on the gear: MIDI channels count from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CHANNELS = range(1, 17)
NUMBERS = range(0, 128)
_CONTROL = re.compile(r"(cc|note)/(\d{1,3})/(\d{1,3})")


@dataclass(frozen=True)
class ControlEvent:
    """One control of one device has moved."""

    device: str  # name of the port, without the numbers that change at every plugging
    control: str  # "cc/<channel>/<number>" or "note/<channel>/<number>"
    value: float  # 0..1; of a note its velocity, 0 when it is let go
    time_ns: int  # time.monotonic_ns() at arrival


def check_control(name: str) -> str:
    """Return a control's name with its numbers written plainly. Raises ValueError with the form it must have."""
    match = _CONTROL.fullmatch(name.strip())
    if not match:
        raise ValueError(f"{name!r} is no control; write cc/<channel>/<number> or note/<channel>/<number>")
    kind, channel, number = match[1], int(match[2]), int(match[3])
    if channel not in CHANNELS:
        raise ValueError(f"{name!r}: MIDI channels are 1 to 16, not {channel}")
    if number not in NUMBERS:
        raise ValueError(f"{name!r}: MIDI numbers are 0 to 127, not {number}")
    return f"{kind}/{channel}/{number}"
