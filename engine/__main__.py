"""`python -m engine COMMAND`: what needs no instrument, on a machine that has none of its dependencies."""

from __future__ import annotations

import importlib
import sys

from engine.terminal import run_command

COMMANDS = {
    "render": ("engine.rendering.render", "prompts, a look or a timeline to video files"),
    "verify": ("engine.verify", "recompute golden files on this machine"),
    "doctor": ("engine.doctor", "what this computer has for the engine, as lines of JSON"),
    "models": ("engine.downloads.command_line", "list, download and verify published models"),
    "evaluate": ("engine.evaluation.command_line", "measure videos and a model's own streams"),
    "bench": ("engine.benchmark.command_line", "how fast a model plays here, beside the reference implementation"),
    "lora": ("engine.lora.__main__", "inspect, convert, merge and extract LoRA files"),
    "train": ("engine.training.command_line", "train ember or a model like it, stage by stage"),
}
EXIT_WRONG_USE = 2


def main(arguments: list[str]) -> int:
    """Run one command with the rest of the arguments; return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else EXIT_WRONG_USE
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"python -m engine: there is no command {name!r}\n\n{_help()}", file=sys.stderr)
        return EXIT_WRONG_USE
    # only the module that was asked for: some need torch, which takes seconds
    return importlib.import_module(COMMANDS[name][0]).main(rest)


def _help() -> str:
    lines = [f"  {name:8} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["usage: python -m engine COMMAND ... (--help after a command tells its options)", "", *lines])


if __name__ == "__main__":
    sys.exit(run_command(lambda: main(sys.argv[1:])))
