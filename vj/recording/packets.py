"""What encoders make and files hold: encoded packets as plain data, so that one may go into several files."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

TICKS_HZ = 90_000  # of pictures: every rate that can be chosen is a whole number of ticks a frame
SOUND_HZ = 48_000
TIME_BASES = {"video": Fraction(1, TICKS_HZ), "audio": Fraction(1, SOUND_HZ)}


@dataclass(frozen=True)
class CodedPacket:
    """One encoded picture, or some sound. Times are in TIME_BASES of its track."""

    track: Literal["video", "audio"]
    data: bytes
    pts: int
    dts: int
    duration: int
    is_key: bool = True

    @property
    def at_s(self) -> float:
        """When it is shown or heard, in seconds of the encoder's time."""
        return float(self.pts * TIME_BASES[self.track])

    @property
    def end_s(self) -> float:
        """When it ends."""
        return float((self.pts + self.duration) * TIME_BASES[self.track])
