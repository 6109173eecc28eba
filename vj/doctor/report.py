"""Findings in words for a terminal, or as JSON. Knows nothing of how they were found."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from typing import TextIO

from engine.finding import FOUND, Finding

GREEN, YELLOW, RED, GREY, BOLD, PLAIN = "\033[32m", "\033[33m", "\033[1;31m", "\033[90m", "\033[1m", "\033[0m"
STATE_WIDTH, NAME_WIDTH = 8, 18
STOPS_WORD = "NEEDED"  # missing, and the show cannot start without it


def stoppers(findings: Iterable[Finding]) -> list[Finding]:
    """Return what keeps `vj run` from starting."""
    return [finding for finding in findings if finding.stops_show and finding.state != FOUND]


def as_json(findings: Sequence[Finding]) -> str:
    """Return one JSON object: whether `vj run` can start, and every finding."""
    content = {"can_run": not stoppers(findings), "findings": [dataclasses.asdict(finding) for finding in findings]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_text(findings: Sequence[Finding], has_colour: bool) -> str:
    """Return a block of lines per part and a closing line that says whether `vj run` can start."""
    lines = []
    part = ""
    for finding in findings:
        if finding.part != part:
            part = finding.part
            lines += ["", _painted(part, BOLD, has_colour)]
        lines += _lines(finding, has_colour)
    stopping = stoppers(findings)
    if stopping:
        names = ", ".join(f"{finding.name} ({finding.part})" for finding in stopping)
        closing = _painted(f"vj run cannot start: {names}", RED, has_colour)
    else:
        closing = _painted("vj run can start.", GREEN, has_colour)
    return "\n".join([*lines[1:], "", closing]) + "\n"


def wants_colour(stream: TextIO) -> bool:
    """Say whether a person looks at the stream on a terminal that knows colours. NO_COLOR is obeyed."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _lines(finding: Finding, has_colour: bool) -> list[str]:
    is_stopping = bool(stoppers([finding]))
    word = STOPS_WORD if is_stopping else finding.state
    colour = GREEN if finding.state == FOUND else RED if is_stopping else GREY if finding.is_extra else YELLOW
    detail = f"{finding.name:<{NAME_WIDTH}} {finding.detail}".rstrip()
    if colour == GREY:
        detail = _painted(detail, GREY, has_colour)
    lines = [f"  {_painted(f'{word:<{STATE_WIDTH}}', colour, has_colour)} {detail}"]
    if finding.fix:
        margin = " " * (STATE_WIDTH + NAME_WIDTH + 4)
        fix = f"fix: {finding.fix}"
        lines.append(margin + (_painted(fix, GREY, has_colour) if finding.is_extra else fix))
    return lines


def _painted(text: str, colour: str, has_colour: bool) -> str:
    return f"{colour}{text}{PLAIN}" if has_colour else text
