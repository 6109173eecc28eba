"""The words between the panels and a sending process: one JSON object per line, plain data only.

Pictures never travel here: they are read from the output's ring. Knows nothing of pipes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

from engine.parameter import Value
from vj.processes.lines import read_fields
from vj.sharing.params import ShareParams

STATES = ("off", "opening", "waiting", "sending", "lost")
_FIELDS = frozenset(one.name for one in dataclasses.fields(ShareParams))


@dataclass(frozen=True)
class ShareWishes:
    """Panels to sending process: all that is wanted of it. Latest wins."""

    type: ClassVar[str] = "wishes"
    settings: dict[str, Value] = field(default_factory=dict)  # of ShareParams, by field
    rate_hz: float = 0.0  # refreshes of the output's display; 0 = not known, then it is measured

    @property
    def params(self) -> ShareParams:
        """The settings as parameters; what is absent is at its default."""
        return ShareParams(**self.settings)


@dataclass(frozen=True)
class ShareState:
    """Sending process to panels: the back channel, four times a second and when it changes. Panels poll it."""

    type: ClassVar[str] = "state"
    state: str = "off"  # one of STATES; waiting = it is open and no picture comes
    name: str = ""  # what receivers list it as
    width: int = 0  # as it is sent, in pixels
    height: int = 0
    rate: str = ""  # as receivers are told: 60000/1001
    measured_fps: float = 0.0  # sent in the last second
    receivers: int = -1  # -1 = the library does not say
    sent: int = 0  # pictures since the process began
    dropped: int = 0  # that the driver was too slow for
    problem: str = ""  # what keeps pictures in, one sentence; empty = nothing does
    note: str = ""  # what else stands in receivers' way
    moved_ns: int = 0  # when it last got on: a driver that hangs says the same again
    process_id: int = 0


def decode_wishes(line: bytes) -> ShareWishes:
    """Read one line. Raises ValueError with a sentence for anything else."""
    fields = read_fields(line, ShareWishes)
    settings = fields.get("settings", {})
    if not isinstance(settings, dict) or settings.keys() - _FIELDS:
        raise ValueError(f"not wishes for a sender: {line[:80]!r}")
    return ShareWishes(settings, float(fields.get("rate_hz", 0.0)))


def decode_state(line: bytes) -> ShareState:
    """Read one line. Raises ValueError with a sentence for anything else."""
    return ShareState(**read_fields(line, ShareState))
