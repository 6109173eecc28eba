"""Messages between the panels and a process of ours as lines of JSON: a dataclass each, with its name under `type`.

Knows nothing of pipes, nor of what is said.
"""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar, Protocol


class Message(Protocol):
    """A dataclass of plain data."""

    type: ClassVar[str]


def read_fields(line: bytes, kind: type[Message]) -> dict[str, object]:
    """Read the fields of one message of this kind. Raises ValueError with a sentence for anything else."""
    try:
        fields = json.loads(line)
        is_right = fields.pop("type") == kind.type
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a message: {line[:80]!r} ({error})") from None
    known = {one.name for one in dataclasses.fields(kind)}
    if not is_right or fields.keys() - known:
        raise ValueError(f"not a {kind.type} message: {line[:80]!r}")
    return fields
