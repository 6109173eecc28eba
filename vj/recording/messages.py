"""The words between the panels and the recorder: one JSON object per line, plain data only.

Knows nothing of pipes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from vj.processes.lines import read_fields


@dataclass(frozen=True)
class RecorderWishes:
    """Panels to recorder: all that is wanted of it. Latest wins."""

    type: ClassVar[str] = "wishes"
    take: str = ""  # file of the recording without its suffix; another name is another recording; empty = none
    replay_s: float = 0.0  # how much is kept ready; 0 = not armed
    save: str = ""  # file of the replay saved last, without its suffix; another name saves
    codec: str = "h264"
    rate_fps: int | None = 60  # None = each picture at its own moment
    with_sound: bool = True
    avoids_hardware: bool = False  # after a driver that ended the process
    metadata: dict[str, str] = field(default_factory=dict)  # of the files


@dataclass(frozen=True)
class RecorderState:
    """Recorder to panels: twice a second and when it changes. Panels poll it."""

    type: ClassVar[str] = "state"
    state: str = "idle"  # idle, opening, live
    take: str = ""  # recording that is being written
    ended: str = ""  # take that ended by itself and is not begun again
    file: str = ""  # of the take, or of the last one
    length_s: float = 0.0  # that it plays
    size_bytes: int = 0
    dropped: int = 0  # pictures the file lacks
    coder: str = ""  # what encodes: words
    is_hardware: bool = False
    width: int = 0  # of the file, in pixels
    height: int = 0
    replay_s: float = 0.0  # that could be saved now
    saved: str = ""  # wish that was carried out last
    saved_file: str = ""  # what became of it
    problem: str = ""  # what went wrong last: a sentence
    problems: int = 0  # how many there were: tells the same one from the one before
    is_heard: bool = False  # whether sound comes in
    free_bytes: int = 0  # on the disk of the file; 0 = not known
    moved_ns: int = 0  # when its threads last got on
    process_id: int = 0


def decode_wishes(line: bytes) -> RecorderWishes:
    """Read one line. Raises ValueError with a sentence for anything else."""
    return RecorderWishes(**read_fields(line, RecorderWishes))


def decode_state(line: bytes) -> RecorderState:
    """Read one line. Raises ValueError with a sentence for anything else."""
    return RecorderState(**read_fields(line, RecorderState))
