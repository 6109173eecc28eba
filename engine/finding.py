"""What a check of this computer found, one thing at a time, and how a process tells another.

Knows nothing of what is checked or of how it is shown.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

FOUND, MISSING = "found", "missing"
STATES = (FOUND, MISSING)


@dataclass(frozen=True)
class Finding:
    """One line of `vj doctor`."""

    part: str  # heading it stands under: "displays"
    name: str  # what was looked for
    state: str  # FOUND or MISSING
    detail: str = ""  # what is there, or why it cannot be used
    fix: str = ""  # the one line that mends it; empty for what was found
    stops_show: bool = False  # without it `vj run` could not start
    is_extra: bool = False  # nobody needs it who does not ask for it


def found(part: str, name: str, detail: str = "") -> Finding:
    """Tell of something that is there."""
    return Finding(part, name, FOUND, detail)


def missing(part: str, name: str, detail: str, fix: str, *, stops_show: bool = False) -> Finding:
    """Tell of something that is not there or cannot be used, and what mends it."""
    return Finding(part, name, MISSING, detail, fix, stops_show)


def encode_finding(finding: Finding) -> str:
    """Write one finding as a line of JSON, line end included."""
    return json.dumps(dataclasses.asdict(finding)) + "\n"


def decode_finding(line: str) -> Finding:
    """Read what `encode_finding` wrote. Raises ValueError for anything else."""
    try:
        finding = Finding(**json.loads(line))
    except TypeError as error:
        raise ValueError(f"{line[:80]!r} is no finding: {error}") from None
    if finding.state not in STATES:
        raise ValueError(f"{line[:80]!r} is no finding: its state is unknown")
    return finding
