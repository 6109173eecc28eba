"""What `vj run` begins with: a show, what the last run left, a look, a timeline. Reads their files.

Knows nothing of windows, engines or of what plays.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vj.presets.autosave import restore
from vj.presets.looks import Look, load_look
from vj.presets.show import Show
from vj.presets.show_file import ShowState
from vj.presets.timeline import Timeline
from vj.presets.timeline_files import load_timeline
from vj.shipped_files import LOOKS, TIMELINES, Library
from vj.written_files import FileError


@dataclass
class Beginning:
    """What was found."""

    show: ShowState | None = None
    look: Look | None = None
    timeline: Timeline | None = None
    sentences: list[str] = field(default_factory=list)  # for the performer: what is back, missing or left out


def read_beginning(args: argparse.Namespace) -> Beginning:
    """Read what the command line names. Raises FileError for a file or folder that cannot be used at all."""
    found = Beginning()
    folder = ""
    if args.show:
        show, sentences = Show.load(_show_folder(args.show))
        found.show, folder = show.state, show.state.folder
        found.sentences += sentences
    library = Library(Path(folder) if folder else None)
    if args.look:
        found.look = _load(load_look, library.find_file(args.look, LOOKS), found)
    if args.timeline:
        path = library.find_file(args.timeline, TIMELINES)
        found.timeline = _load(lambda path: load_timeline(path, library), path, found)
        found.sentences += found.timeline.notes
    if not args.fresh:
        _restore(found, folder, args.restore)
    return found


def _restore(found: Beginning, folder: str, is_asked: bool) -> None:
    """Put back what a run that broke off played: it wins over what the command line begins with."""
    restored = restore(folder, is_asked)
    found.sentences += restored.sentences
    if restored.state is not None:
        if found.look is not None or found.timeline is not None:
            found.sentences.append("what --look and --timeline name is left out: the state that is back wins")
        found.show = restored.state
        found.look = found.timeline = None


def _show_folder(written: str) -> Path:
    folder = Path(written)
    if not folder.exists():
        raise FileError(folder, "there is no such folder; a show is saved from the panels or by /vj/show/save")
    return folder.absolute()


def _load(load: Callable[[Path], tuple[Look | Timeline, tuple[object, ...]]], path: Path, found: Beginning) -> object:
    loaded, problems = load(path)
    found.sentences += map(str, problems)
    return loaded
