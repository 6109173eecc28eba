"""`vj timeline check` and `vj timeline convert`."""

from __future__ import annotations

import sys
from pathlib import Path

from vj.presets.timeline import Timeline
from vj.presets.timeline_files import load_timeline
from vj.presets.timeline_writing import convert_timeline, cue_line
from vj.shipped_files import TIMELINES, find_file
from vj.written_files import FileError

EXIT_DONE, EXIT_FAILED = 0, 1


def check(name: str) -> int:
    """List a timeline's cues, its problems and what of it is not played; return the exit code."""
    try:
        timeline, problems = _load(name)
    except FileError as error:
        return _complain(error)
    for cue in timeline.cues:
        print(cue_line(cue, timeline.unit))
    for line in (*problems, *timeline.notes):
        print(line)
    return EXIT_FAILED if problems else EXIT_DONE


def convert(name: str, out: Path) -> int:
    """Write a timeline in the format the name `out` asks for; list what was left out; return the exit code."""
    try:
        timeline, problems = _load(name)
        notes = convert_timeline(timeline, out)
    except FileError as error:
        return _complain(error)
    for line in (*problems, *notes):
        print(line)
    print(f"{out}: {len(timeline.cues)} cue{'' if len(timeline.cues) == 1 else 's'}")
    return EXIT_DONE


def _load(name: str) -> tuple[Timeline, list[str]]:
    timeline, problems = load_timeline(find_file(name, TIMELINES))
    return timeline, [str(problem) for problem in problems]


def _complain(error: FileError) -> int:
    sys.stderr.write(f"vj: {error}\n")
    return EXIT_FAILED
