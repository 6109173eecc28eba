"""The `vj` command: reads the command line and hands over to the instrument or to the engine.

Imports what a subcommand needs only when it runs: the window must not wait for torch.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.chunk_source import DEFAULT_MODEL, SourceChoice
from engine.frame_size import parse_size
from engine.model_presets import TEST_PATTERN_NAME
from engine.pattern_name import is_test_pattern, read_pattern_name
from engine.preset_table import did_you_mean
from engine.terminal import run_command
from vj.controllers.osc.command_line import add_arguments as add_osc_arguments
from vj.controllers.osc.command_line import add_port_argument as add_osc_port
from vj.controllers.osc.command_line import read_options as read_osc_options

if TYPE_CHECKING:
    from engine.render_plan import RenderPlan
    from vj.presets.timeline import Timeline

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong use."
COMMANDS = ("run", "render", "verify", "timeline", "doctor")
OWN_PACKAGES = ("vj", "engine")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return run_command(lambda: _run_words(words))


def _run_words(words: list[str]) -> int:
    if words[:1] == ["verify"]:  # the engine's own command line, help included
        from engine.verify import main as verify

        return verify(words[1:])
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        near = did_you_mean(words[0], COMMANDS)
        sys.stderr.write(f"vj: there is no command {words[0]!r}{near}; `vj --help` lists them\n")
        return EXIT_WRONG_USE
    if not words or (words[0] not in COMMANDS and words[0] not in ("-h", "--help", "--version")):
        words = ["run", *words]  # `vj` alone opens the instrument
    args = _parser(words[0]).parse_args(words)
    logging.basicConfig(level=logging.INFO, format="vj: %(message)s", stream=sys.stderr)
    logging.getLogger("OpenGL").setLevel(logging.WARNING)  # it announces what it could be faster with
    try:
        return args.command(args)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in OWN_PACKAGES:
            raise
        sys.stderr.write(f"vj: {package} is not installed: run `python3 start.py`; `vj doctor` lists what is missing\n")
        return EXIT_FAILED


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vj",
        description="A live instrument for streaming AI video.",
        epilog=f"`vj COMMAND --help` tells all options of a command; `vj` alone is `vj run`. {EXIT_CODES}",
    )
    parser.add_argument("--version", action="version", version=f"vj {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands.add_parser("run", help="open the instrument (the default)", **_texts(_RUN_HELP)))
    render = commands.add_parser(
        "render",
        help="render prompts, a look or a timeline to video files",
        **_texts("Render prompts, a look or a timeline to video files: the same words and seed give the same frames."),
    )
    if command == "render":  # what it needs takes a moment to import
        from engine.render import add_arguments

        add_arguments(render)
    render.set_defaults(command=_render)
    commands.add_parser("verify", help="recompute golden files on this machine", add_help=False)
    timeline = commands.add_parser(
        "timeline", help="check or convert a timeline file", **_texts("Work on timeline files.")
    )
    actions = timeline.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="read a timeline and list its cues and problems")
    check.add_argument("file", metavar="FILE", help="a timeline (TOML, or Scope JSON)")
    check.set_defaults(command=_check_timeline)
    convert = actions.add_parser("convert", help="write a timeline in another format; what it cannot hold is told")
    convert.add_argument("file", metavar="IN", help="a timeline (TOML, or Scope JSON)")
    convert.add_argument(
        "out", metavar="OUT", type=Path, help="NAME.toml (ours), .json (Scope 2.1) or .scope-workflow.json (a workflow)"
    )
    convert.set_defaults(command=_convert_timeline)
    _add_doctor(commands.add_parser("doctor", help="tell what this computer has and lacks", **_texts(_DOCTOR_HELP)))
    return parser


_RUN_HELP = (
    "Open the instrument: the panels, and an output that shows a moving picture at once and the stream as soon as the "
    "engine has made its first frames. Keys on the output: B blackout, F freeze, L fallback, R reset, + and - level, "
    "Tab panels; Esc does nothing. The show is ended from the panels, by Ctrl-C, or by SIGTERM; panels that die leave "
    "the output as it is, and the next `vj run` goes on there."
)


_DOCTOR_HELP = (
    "Tell what this computer has for a show and what it lacks, each with the one line that mends it: packages, GPU, "
    "models, displays, MIDI, sound, cameras, ports, folders, extras. It fails only if `vj run` with the same --model, "
    "--display and --osc could not start."
)


def _texts(description: str) -> dict[str, str]:
    return {"description": description, "epilog": EXIT_CODES}


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("vj")
    except metadata.PackageNotFoundError:
        return "(checkout, not installed)"


def _add_beginning(parser: argparse.ArgumentParser) -> None:
    """Add what `vj run` begins with."""
    parser.add_argument("--look", metavar="FILE", help="begin with a look: a file, or the name of one of ours")
    parser.add_argument(
        "--timeline", metavar="FILE", help="play a timeline from the first frame on (TOML, or Scope JSON)"
    )
    parser.add_argument("--show", metavar="FOLDER", help="begin with a show: its folder; what is missing is told")
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        "--restore",
        action="store_true",
        help="begin where the last run ended (after a run that did not end properly this happens by itself)",
    )
    state.add_argument("--fresh", action="store_true", help="begin without the state of a run that broke off")


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_beginning(parser)
    parser.add_argument(
        "--mapping",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="controller mappings to use, files or names (default: every shipped one and your own); a bad one is told "
        "and left out",
    )
    _add_display(parser)
    parser.add_argument("--fullscreen", action="store_true", help="cover the display (default: the second, if any)")
    parser.add_argument("--size", type=_size, metavar="WxH", help="picture size in pixels (default: the model's own)")
    add_osc_arguments(parser)
    parser.add_argument(
        "--engine-in-process",
        action="store_true",
        help="run the engine on a thread of this process: for tests and for finding faults",
    )
    parser.add_argument("--stage-in-process", action="store_true", help="run the output in this process likewise")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="end by itself after so many seconds")
    parser.set_defaults(command=_run)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_display(parser)
    add_osc_port(parser)
    parser.add_argument("--json", action="store_true", help="write one JSON object instead of words")
    parser.set_defaults(command=_doctor)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|FILE.toml|DIR",
        help=f"model to play (default: %(default)s); {TEST_PATTERN_NAME} needs no weights and no torch",
    )


def _add_display(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--display", default="", metavar="NAME|N", help="display of the output, by name or number (1 = first)"
    )


def _doctor(args: argparse.Namespace) -> int:
    from vj.doctor.command_line import run

    return run(args)


def _run(args: argparse.Namespace) -> int:
    from vj.app.application import RunOptions, complain, run_show
    from vj.beginning import read_beginning
    from vj.performance import PerformanceOptions

    try:
        _check_model(args.model)
        found = read_beginning(args)
    except ValueError as error:  # FileError too
        return complain(str(error), EXIT_WRONG_USE)
    problems, show = found.sentences, found.show
    model = _show_model(show.model, problems) if show is not None and args.model == DEFAULT_MODEL else args.model
    if found.timeline is not None:
        problems += _strange_timeline(found.timeline, model, args.size)
    mappings = None if args.mapping is None else tuple(_mapping_files(args.mapping, problems))
    osc = read_osc_options(args, problems)
    return run_show(
        RunOptions(
            choice=SourceChoice(model=model, size=args.size),
            performance=PerformanceOptions(
                look=found.look,
                timeline=found.timeline,
                mappings=mappings,
                osc=osc,
                artnet=args.artnet,
                show=show,
                model=model,
            ),
            display=args.display,
            show_display=show.display if show is not None else "",
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


def _show_model(name: str, problems: list[str]) -> str:
    """Return the model a show was made with, or the usual one where that is not known."""
    try:
        _check_model(name or DEFAULT_MODEL)
    except ValueError as error:
        problems.append(f"the show's model: {error}; {DEFAULT_MODEL} plays")
        return DEFAULT_MODEL
    return name or DEFAULT_MODEL


def _check_model(name: str) -> None:
    """Raise ValueError for a model nobody knows, before a window opens. Weights are looked at by the engine."""
    if is_test_pattern(name):
        read_pattern_name(name)
    else:
        from engine.model_presets import load_preset

        load_preset(name)


def _load(load: object, name: str, kind: str, problems: list[str]) -> object:
    """Read a look or a timeline by path or name; what is left out of it goes on the list."""
    from vj.shipped_files import find_file

    loaded, found = load(find_file(name, kind))
    problems += map(str, found)
    return loaded


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


def _render(args: argparse.Namespace) -> int:
    from engine.render import run

    return run(args, _read_plan)


def _read_plan(args: argparse.Namespace) -> RenderPlan:
    """Turn --look or --timeline of `vj render` into a plan. Raises FileError."""
    from vj.presets.looks import load_look, look_plan
    from vj.presets.timeline import timeline_plan
    from vj.presets.timeline_files import load_timeline
    from vj.shipped_files import LOOKS, TIMELINES

    problems: list[str] = []
    if args.look is not None:
        plan = look_plan(_load(load_look, args.look, LOOKS, problems))
    else:
        plan = timeline_plan(_load(load_timeline, args.timeline, TIMELINES, problems), model_name=args.model)
    for problem in problems:
        sys.stderr.write(f"vj: {problem}\n")
    return plan


def _check_timeline(args: argparse.Namespace) -> int:
    from vj.presets.timeline_command_line import check

    return check(args.file)


def _convert_timeline(args: argparse.Namespace) -> int:
    from vj.presets.timeline_command_line import convert

    return convert(args.file, args.out)


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


if __name__ == "__main__":
    sys.exit(main())
