"""`vj prompts`: what prompts lack, and longer ones made of them, for files that `vj render` reads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.model_presets import load_preset
from vj.words.endpoint import EndpointError, ask_endpoint
from vj.words.extender import extend_prompt
from vj.words.hints import prompt_hints
from vj.words.settings import read_endpoint, settings_file
from vj.written_files import FileError, read_text, write_text

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
DEFAULT_WORDS = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all of `vj prompts`."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="say what prompts lack: subject, setting, length, one take")
    extend = actions.add_parser("extend", help="make prompts longer; one line out for each line in")
    for action in (check, extend):
        action.add_argument("text", nargs="*", metavar="TEXT", help="a prompt")
        action.add_argument("--from", dest="file", type=Path, metavar="FILE", help="read prompts, one per line")
        action.add_argument(
            "--model",
            metavar="NAME|FILE.toml|DIR",
            help=f"model they are for (default: any that was trained on about {DEFAULT_WORDS} words)",
        )
    extend.add_argument("--seed", type=int, default=0, metavar="N", help="choose other built-in words (default: 0)")
    extend.add_argument("--built-in", action="store_true", help="ask no endpoint, whatever words.toml names")
    extend.add_argument("--out", type=Path, metavar="FILE", help="write the list there (default: to the terminal)")
    check.set_defaults(command=run_check)
    extend.set_defaults(command=run_extend)


def run_check(args: argparse.Namespace) -> int:
    """Print each prompt that lacks something, with what; return the exit code: 1 when any does."""
    try:
        prompts, words = _prompts(args), _caption_words(args)
    except ValueError as error:  # FileError and PresetError too
        return _complain(str(error), EXIT_WRONG_USE)
    lacking = 0
    for prompt in prompts:
        hints = prompt_hints(prompt, words)
        lacking += bool(hints)
        sys.stdout.write("".join([f"{prompt}\n", *(f"    {hint}\n" for hint in hints)]))
    return EXIT_FAILED if lacking else EXIT_DONE


def run_extend(args: argparse.Namespace) -> int:
    """Print or write each prompt made longer; an endpoint that fails ends it. Return the exit code."""
    try:
        prompts, words = _prompts(args), _caption_words(args)
        endpoint = None if args.built_in else read_endpoint()
    except ValueError as error:
        return _complain(str(error), EXIT_WRONG_USE)
    if not words:
        return _complain(f"{args.model} was trained on short texts: a longer one tells it no more", EXIT_WRONG_USE)
    by = f"{endpoint.model} at {endpoint.url}" if endpoint else "the built-in rules"
    if endpoint is None and not args.built_in:
        by += f" ({settings_file()} names no endpoint)"
    sys.stderr.write(f"vj: extended by {by}\n")
    longer = []
    try:
        for prompt in prompts:
            text = ask_endpoint(endpoint, prompt, words) if endpoint else extend_prompt(prompt, words, args.seed)
            longer.append(text)
            if args.out is None:
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()
        if args.out is not None:
            write_text(args.out, "".join(f"{text}\n" for text in longer))
    except (EndpointError, FileError) as error:
        return _complain(str(error), EXIT_FAILED)
    return EXIT_DONE


def _prompts(args: argparse.Namespace) -> list[str]:
    """Prompts of the words and of the file. Raises ValueError when there are none."""
    lines = read_text(args.file).splitlines() if args.file is not None else []
    prompts = [" ".join(line.split()) for line in (*args.text, *lines)]
    prompts = [prompt for prompt in prompts if prompt]
    if not prompts:
        raise ValueError(f"{args.file} holds no prompts" if args.file else "name a TEXT, or a list by --from FILE")
    return prompts


def _caption_words(args: argparse.Namespace) -> int:
    return load_preset(args.model).text.caption_words if args.model else DEFAULT_WORDS


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(f"vj: {sentence}\n")
    return code
