"""What `vj run` begins with: a show, what the last run left, a look, a timeline. Reads their files.

Knows nothing of windows, engines or of what plays.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.lora.slots import lora_values, parse_lora
from engine.parameter import Value
from engine.video_in.arguments import asked_inputs
from vj.inputs.params import source_address
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
    values: dict[str, Value] = field(default_factory=dict)  # over those of look and show
    sentences: list[str] = field(default_factory=list)  # for the performer: what is back, missing or left out


def read_beginning(args: argparse.Namespace) -> Beginning:
    """Read what the command line names. Raises FileError for a file or folder that cannot be used at all.

    LoRAs are read, and bad ones told, by the engine. Raises ValueError for more of them than there are slots, and for
    options of inputs that do not go together.
    """
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
    found.values |= lora_values([_from_here(written) for written in args.lora])
    found.values |= _input_values(args)
    if not args.fresh:
        _restore(found, folder, args.restore)
    return found


def _restore(found: Beginning, folder: str, is_asked: bool) -> None:
    """Put back what a run that broke off played: it wins over what the command line begins with."""
    restored = restore(folder, is_asked)
    found.sentences += restored.sentences
    if restored.state is not None:
        if found.look is not None or found.timeline is not None or found.values:
            found.sentences.append(
                "what --look, --timeline, --lora and the inputs' options name is left out: the state that is back wins"
            )
        found.show = restored.state
        found.look = found.timeline = None
        found.values.clear()


def _from_here(written: str) -> str:
    """A LoRA's path from wherever the engine runs; a bare name that is no file here stays one of the user's folder."""
    file, weight = parse_lora(written)
    path = Path(file)
    with contextlib.suppress(OSError, ValueError):  # a name no file can have
        if path.is_file():
            return f"{path.absolute()}:{weight:g}"
    return written


def _input_values(args: argparse.Namespace) -> dict[str, Value]:
    """What --input, --v2v and the --vace options set: sources of inputs, and what is done with them."""
    asked = asked_inputs(args)
    sources = {source_address(number): source for number, source in asked.sources.items()}
    return {
        address: _absolute(value) if isinstance(value, str) else value
        for address, value in (asked.values | sources).items()
    }


def _absolute(text: str) -> str:
    """A file's path from wherever it is read; any other text as it is."""
    with contextlib.suppress(OSError, ValueError):  # a name no file can have
        if Path(text).is_file():
            return str(Path(text).absolute())
    return text


def _show_folder(written: str) -> Path:
    folder = Path(written)
    if not folder.exists():
        raise FileError(folder, "there is no such folder; a show is saved from the panels or by /vj/show/save")
    return folder.absolute()


def _load(load: Callable[[Path], tuple[Look | Timeline, tuple[object, ...]]], path: Path, found: Beginning) -> object:
    loaded, problems = load(path)
    found.sentences += map(str, problems)
    return loaded
