"""The `vj` command: reads the command line and hands over to the instrument or to the engine.

Imports what a subcommand needs only when it runs: the window must not wait for torch.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.preset_table import did_you_mean
from engine.terminal import run_command
from vj.controllers.osc.command_line import add_port_argument as add_osc_port
from vj.render_command_line import render as run_render
from vj.run_command_line import RUN_HELP, add_display, add_model
from vj.run_command_line import add_arguments as add_run_arguments

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong use."
COMMANDS = (
    "run",
    "render",
    "verify",
    "models",
    "lora",
    "timeline",
    "prompts",
    "inputs",
    "effects",
    "train",
    "evaluate",
    "bench",
    "doctor",
)
NAMED_COMMAND_LINES = {  # the engine's own, that are told what they are called
    "lora": "engine.lora.__main__",
    "evaluate": "engine.evaluation.command_line",
    "bench": "engine.benchmark.command_line",
}
OWN_PACKAGES = ("vj", "engine")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return run_command(lambda: _run_words(words))


def _run_words(words: list[str]) -> int:
    if words[:1] == ["verify"]:  # the engine's own command line, help included
        from engine.verify import main as verify

        return verify(words[1:])
    if words[:1] == ["models"]:
        from engine.downloads.command_line import main as models

        return models(words[1:])
    if words[:1] == ["train"]:
        from engine.training.command_line import main as train

        return train(words[1:])
    if words and words[0] in NAMED_COMMAND_LINES:
        return importlib.import_module(NAMED_COMMAND_LINES[words[0]]).main(words[1:], prog=f"vj {words[0]}")
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
    add_run_arguments(commands.add_parser("run", help="open the instrument (the default)", **_texts(RUN_HELP)))
    render = commands.add_parser(
        "render",
        help="render prompts, a look or a timeline to video files",
        **_texts("Render prompts, a look or a timeline to video files: the same words and seed give the same frames."),
    )
    if command == "render":  # what it needs takes a moment to import
        from engine.rendering.render import add_arguments

        add_arguments(render)
    render.set_defaults(command=run_render)
    commands.add_parser("verify", help="recompute golden files on this machine", add_help=False)
    commands.add_parser("models", help="list, download and verify published models", add_help=False)
    commands.add_parser("lora", help="inspect, convert, merge and extract LoRA files", add_help=False)
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
    prompts = commands.add_parser("prompts", help="check prompts or make them longer", **_texts(_PROMPTS_HELP))
    if command == "prompts":
        from vj.words.command_line import add_arguments as add_prompts

        add_prompts(prompts)
    inputs = commands.add_parser("inputs", help="list cameras and other inputs, and try one", **_texts(_INPUTS_HELP))
    if command == "inputs":
        from vj.inputs.command_line import add_arguments as add_inputs

        add_inputs(inputs)
    effects = commands.add_parser("effects", help="list effects, and check files of your own", **_texts(_EFFECTS_HELP))
    if command == "effects":
        from vj.output.effects_command_line import add_arguments as add_effects

        add_effects(effects)
    commands.add_parser("train", help="train ember or a model like it, stage by stage", add_help=False)
    commands.add_parser("evaluate", help="measure videos and a model's own streams", add_help=False)
    commands.add_parser("bench", help="measure how fast a model plays here", add_help=False)
    _add_doctor(commands.add_parser("doctor", help="tell what this computer has and lacks", **_texts(_DOCTOR_HELP)))
    return parser


_PROMPTS_HELP = (
    "Help with the words of prompts for models that were trained on long ones: `check` says what they lack, `extend` "
    "makes them longer, by the endpoint named in words.toml or by the built-in rules. A list of extended prompts goes "
    "to `vj render --prompts LIST --extended-prompts EXTENDED`."
)
_INPUTS_HELP = (
    "Look for cameras, capture cards, the screen and what other programs share, and try one. SOURCE is what "
    "/vj/input/{n}/source takes: a device's name or part of it, a file, an address, screen, ndi:NAME, spout:NAME, "
    "syphon:NAME or lavfi:GRAPH."
)
_EFFECTS_HELP = (
    "The effects of the output: list those that ship, check files of your own in ISF form (read and compiled by this "
    "computer's driver), draw a sheet of all of them over a film. docs/effects.md says how one is written."
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


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    add_display(parser)
    add_osc_port(parser)
    parser.add_argument("--json", action="store_true", help="write one JSON object instead of words")
    parser.set_defaults(command=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    from vj.doctor.command_line import run

    return run(args)


def _check_timeline(args: argparse.Namespace) -> int:
    from vj.presets.timeline_command_line import check

    return check(args.file)


def _convert_timeline(args: argparse.Namespace) -> int:
    from vj.presets.timeline_command_line import convert

    return convert(args.file, args.out)


if __name__ == "__main__":
    sys.exit(main())
