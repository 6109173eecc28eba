"""How a person writes a length of time: `2`, `2.5 s`, `4 beats`, nothing. Knows no widget."""

from __future__ import annotations

import re

from vj.presets.recall import Duration

LONGEST = 3600.0
_FORM = re.compile(r"(\d+(?:[.,]\d+)?)\s*(s|seconds?|b|beats?)?", re.IGNORECASE)


def clock_text(seconds: float) -> str:
    """Seconds as 1:02:03 or 2:03."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def write_duration(duration: Duration | None) -> str:
    """Spell a length; nothing is none."""
    if duration is None:
        return ""
    return f"{duration.amount:g} {'beats' if duration.is_beats else 's'}"


def read_duration(text: str) -> Duration | None:
    """Read a length; an empty text is none. Raises ValueError with a sentence."""
    if not text.strip():
        return None
    found = _FORM.fullmatch(text.strip())
    amount = float(found[1].replace(",", ".")) if found else LONGEST + 1
    if found is None or amount > LONGEST:
        raise ValueError(f"{text!r} is no length: write 2 s or 4 beats, up to {LONGEST:g}, or nothing")
    return Duration(amount, is_beats=(found[2] or "s").lower().startswith("b"))
