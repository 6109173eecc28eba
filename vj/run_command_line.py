"""`vj run` on the command line: its arguments, and what they make of a show before any window opens."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.acceleration import add_acceleration_arguments
from engine.chunk_source import DEFAULT_MODEL, SourceChoice
from engine.frame_size import parse_size
from engine.model_presets import TEST_PATTERN_NAME
from engine.pattern_name import is_test_pattern, read_pattern_name
from engine.plans.memory_arguments import add_memory_arguments, memory_choice
from engine.video_in.arguments import add_input_arguments
from vj.controllers.osc.command_line import add_arguments as add_osc_arguments
from vj.controllers.osc.command_line import read_options as read_osc_options
from vj.engine_params import MODEL_ADDRESS

if TYPE_CHECKING:
    from vj.presets.show_file import ShowState
    from vj.presets.timeline import Timeline

EXIT_WRONG_USE = 2
RUN_HELP = (
    "Open the instrument: the panels, and an output that shows a moving picture at once and the stream as soon as the "
    "engine has made its first frames. Keys on the output: B blackout, F freeze, L fallback, R reset, + and - level, "
    "Tab panels; Esc does nothing. The show is ended from the panels, by Ctrl-C, or by SIGTERM; panels that die leave "
    "the output as it is, and the next `vj run` goes on there."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all of `vj run`."""
    add_model(parser)
    parser.set_defaults(model=None)  # so that one asked for is known from the usual one
    _add_beginning(parser)
    parser.add_argument(
        "--mapping",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="controller mappings to use, files or names (default: every shipped one and your own); a bad one is told "
        "and left out",
    )
    add_display(parser)
    parser.add_argument("--fullscreen", action="store_true", help="cover the display (default: the second, if any)")
    parser.add_argument("--size", type=_size, metavar="WxH", help="picture size in pixels (default: the model's own)")
    add_memory_arguments(parser)
    add_acceleration_arguments(parser)
    add_input_arguments(parser)
    add_osc_arguments(parser)
    parser.add_argument(
        "--engine-in-process",
        action="store_true",
        help="run the engine on a thread of this process: for tests and for finding faults",
    )
    parser.add_argument("--stage-in-process", action="store_true", help="run the output in this process likewise")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="end by itself after so many seconds")
    parser.set_defaults(command=run)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|FILE.toml|DIR",
        help=f"model to play (default: {DEFAULT_MODEL}); {TEST_PATTERN_NAME} needs no weights and no torch",
    )


def add_display(parser: argparse.ArgumentParser) -> None:
    """Add --display."""
    parser.add_argument(
        "--display",
        default="",
        metavar="NAME|N[,...]",
        help="display of the output, by name or number (1 = first); an output on each of several",
    )


def _add_beginning(parser: argparse.ArgumentParser) -> None:
    """Add what `vj run` begins with."""
    parser.add_argument("--look", metavar="FILE", help="begin with a look: a file, or the name of one of ours")
    parser.add_argument(
        "--timeline", metavar="FILE", help="play a timeline from the first frame on (TOML, or Scope JSON)"
    )
    parser.add_argument(
        "--lora",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="begin with LoRAs in slots 1 to 8, files or names in your loras folder, each with its weight "
        "(default: 1); a bad one is told and left out",
    )
    parser.add_argument("--show", metavar="FOLDER", help="begin with a show: its folder; what is missing is told")
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        "--restore",
        action="store_true",
        help="begin where the last run ended (after a run that did not end properly this happens by itself)",
    )
    state.add_argument("--fresh", action="store_true", help="begin without the state of a run that broke off")


def run(args: argparse.Namespace) -> int:
    """Open the instrument with what the words ask for; return the exit code."""
    from vj.app.application import RunOptions, complain, run_show
    from vj.beginning import read_beginning
    from vj.performance import PerformanceOptions
    from vj.stage.link import find_stage_left_alone

    try:
        _check_model(args.model or DEFAULT_MODEL)
        if not args.stage_in_process:
            find_stage_left_alone()  # ends panels that hang: what they played is what this show begins with
        found = read_beginning(args)
    except ValueError as error:  # FileError too
        return complain(str(error), EXIT_WRONG_USE)
    problems, show = found.sentences, found.show
    model, show = choose_model(args.model, show, problems)
    if found.timeline is not None:
        problems += _strange_timeline(found.timeline, model, args.size)
    mappings = None if args.mapping is None else tuple(_mapping_files(args.mapping, problems))
    osc = read_osc_options(args, problems)
    return run_show(
        RunOptions(
            choice=SourceChoice(
                model=model,
                size=args.size,
                memory=memory_choice(args),
                accelerate=tuple(args.accelerate),
            ),
            performance=PerformanceOptions(
                look=found.look,
                values=found.values,
                timeline=found.timeline,
                mappings=mappings,
                osc=osc,
                artnet=args.artnet,
                show=show,
                model=model,
            ),
            display=args.display,
            show_outputs=show.outputs if show is not None else {},
            is_fullscreen=args.fullscreen,
            is_engine_in_process=args.engine_in_process,
            is_stage_in_process=args.stage_in_process,
            seconds=args.seconds,
            problems=tuple(problems),
        )
    )


def _strange_timeline(timeline: Timeline, model: str, size: tuple[int, int] | None) -> list[str]:
    """Say in one line, or none, that a timeline was made for another model or size, as `vj render` does."""
    from vj.presets.timeline import made_for_other

    if not is_test_pattern(model):
        from engine.model_presets import load_preset

        preset = load_preset(model)
        model, size = preset.name, size or (preset.stream.width, preset.stream.height)
    sentence = made_for_other(timeline, model, size)
    return [sentence] if sentence else []


def choose_model(asked: str | None, show: ShowState | None, problems: list[str]) -> tuple[str, ShowState | None]:
    """Return the model to play and the state without another: one asked for wins over the one a state was played with.

    What was loaded live last counts as the state's, else what its run began with; the usual one where neither is known.
    """
    if show is None:
        return asked or DEFAULT_MODEL, None
    values = dict(show.values)
    played = str(values.pop(MODEL_ADDRESS, "")) or show.model
    show = replace(show, values=values)
    if asked:
        if played and played != asked:
            problems.append(f"the show was played with {played!r}: {asked!r} plays, as asked for")
        return asked, show
    try:
        _check_model(played or DEFAULT_MODEL)
    except ValueError as error:
        problems.append(f"the show's model: {error}; {DEFAULT_MODEL} plays")
        return DEFAULT_MODEL, show
    return played or DEFAULT_MODEL, show


def _check_model(name: str) -> None:
    """Raise ValueError for a model nobody knows or nobody has downloaded, before a window opens.

    What is in its files is looked at by the engine.
    """
    if is_test_pattern(name):
        read_pattern_name(name)
    else:
        from engine.model_presets import check_files, load_preset

        check_files(load_preset(name))


def _mapping_files(names: Sequence[str], problems: list[str]) -> list[Path]:
    """Resolve names of mappings. One that is not there never stops the show."""
    from vj.shipped_files import MAPPINGS, find_file
    from vj.written_files import FileError

    files = []
    for name in names:
        try:
            files.append(find_file(name, MAPPINGS))
        except FileError as error:
            problems.append(str(error))
    return files


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no length: write seconds above 0, for example 10")
    return seconds
