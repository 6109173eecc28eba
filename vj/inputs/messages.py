"""The words between the panels and a capture process: one JSON object per line, plain data only.

Frames never travel here: they go into the input's rings. Knows nothing of pipes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

from engine.parameter import Value
from vj.inputs.params import InputParams
from vj.processes.lines import read_fields

STATES = ("off", "opening", "live", "held", "lost")
_FIELDS = frozenset(one.name for one in dataclasses.fields(InputParams))


@dataclass(frozen=True)
class InputWishes:
    """Panels to capture process: all that is wanted of it. Latest wins."""

    type: ClassVar[str] = "wishes"
    settings: dict[str, Value] = field(default_factory=dict)  # of InputParams, by field
    stream_size: tuple[int, int] | None = None  # width, height of the generated picture; None = not known yet
    opening: int = 0  # moves when the source is to be opened anew
    is_layer: bool = True  # whether every picture is shown as a layer; else a few a second do, for thumbnails

    @property
    def params(self) -> InputParams:
        """The settings as parameters; what is absent is at its default."""
        return InputParams(**self.settings)


@dataclass(frozen=True)
class InputState:
    """Capture process to panels: the back channel, twice a second and when it changes. Panels poll it."""

    type: ClassVar[str] = "state"
    state: str = "off"  # one of STATES; held = a file that stands still
    name: str = ""  # of what is open
    width: int = 0  # of what is open, in pixels
    height: int = 0
    rate_fps: float = 0.0  # as the source says; 0 = it does not
    measured_fps: float = 0.0  # pictures that came in the last second
    problem: str = ""  # what keeps the picture away, one sentence; empty = nothing does
    pictures: int = 0  # that came since the process began
    position_s: float = 0.0  # of a file
    length_s: float = 0.0  # of a file; 0 = not one, or not known
    moved_ns: int = 0  # when its threads last got on: a driver that hangs says the same again
    process_id: int = 0  # of the capture process


def decode_wishes(line: bytes) -> InputWishes:
    """Read one line. Raises ValueError with a sentence for anything else."""
    fields = read_fields(line, InputWishes)
    settings, size = fields.pop("settings", {}), fields.pop("stream_size", None)
    if not isinstance(settings, dict) or settings.keys() - _FIELDS:
        raise ValueError(f"not wishes for an input: {line[:80]!r}")
    return InputWishes(
        settings,
        (int(size[0]), int(size[1])) if size else None,
        int(fields.get("opening", 0)),
        bool(fields.get("is_layer", True)),
    )


def decode_state(line: bytes) -> InputState:
    """Read one line. Raises ValueError with a sentence for anything else."""
    return InputState(**read_fields(line, InputState))
