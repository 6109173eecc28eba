"""The words of `vj bench`, and the jobs they ask for. Imports no torch."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

from engine.acceleration import Acceleration, add_acceleration_arguments
from engine.benchmark.jobs import DEFAULT_PARTS, PARTS, Job
from engine.benchmark.presets import (
    DEFAULT_PRESETS,
    DEFAULT_VARIANTS,
    PRESET_FILES,
    PRESETS,
    RANDOM_TINY_DECODER,
    SMOKE_SIZE,
    UPSTREAM_VARIANTS,
    BenchmarkPreset,
    find_preset,
    model_preset,
    small_form,
)
from engine.chunk_source import DEVICES, DTYPES
from engine.frame_size import parse_size

EXIT_CODES = "Exit codes: 0 done, 1 something failed or is worse than --gate allows, 2 wrong use."
SMOKE_CHUNKS, SMOKE_SWITCHES, SMOKE_WARM_UP = 4, 1, 4
SMOKE_PACES = ((3, 24.0),)


def make_parser(prog: str) -> argparse.ArgumentParser:
    """The parser of `vj bench`."""
    presets = "\n".join(f"  {preset.name:14} {preset.description}" for preset in PRESETS.values())
    variants = "\n".join(f"  {name:14} {text}" for name, text in UPSTREAM_VARIANTS.items())
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Measure how fast a model plays on this machine, each configuration in a process of its own, in "
        "turn. Random weights of the published shapes serve where a preset names no model: nothing is downloaded.",
        epilog=f"presets:\n{presets}\n\nvariants of the reference:\n{variants}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "presets",
        nargs="*",
        metavar="PRESET",
        help=f"what to measure, see below (default: {' '.join(DEFAULT_PRESETS)})",
    )
    add("--model", metavar="NAME", help="measure a model with its own weights: NAME, FILE.toml or DIR")
    add("--size", type=_said(parse_size), metavar="WxH", help="picture size in pixels (default: the preset's)")
    add("--device", choices=DEVICES, default="auto", help="default: %(default)s")
    add("--dtype", choices=DTYPES, help="number format (default: the preset's)")
    add("--threads", type=_whole(1, 1024), default=0, metavar="N", help="CPU threads (default: torch's own choice)")
    add_acceleration_arguments(parser)
    add("--chunks", type=_whole(2, 1_000_000), default=200, help="measured per configuration (default: %(default)s)")
    add("--rounds", type=_whole(1, 100), default=2, help="the order is turned round in each (default: %(default)s)")
    add("--parts", nargs="*", choices=PARTS, default=list(DEFAULT_PARTS), help="what to measure besides speed "
        f"(default: {' '.join(DEFAULT_PARTS)})")  # fmt: skip
    add("--switches", type=_whole(1, 10_000), default=50, help="of the prompt, per pace, for --parts switch "
        "(default: %(default)s)")  # fmt: skip
    add("--upstream", type=Path, metavar="DIR", help="a checkout of the reference implementation, measured beside ours")
    add("--variants", nargs="+", choices=UPSTREAM_VARIANTS, default=list(DEFAULT_VARIANTS), help="of the reference "
        f"(default: {' '.join(DEFAULT_VARIANTS)})")  # fmt: skip
    add("--upstream-chunks", type=_whole(2, 100_000), default=42, help="per variant (default: %(default)s)")
    add("--limit", type=_whole(1, 1_000_000), default=86_400, metavar="SECONDS", help="begin nothing that would not "
        "end by then; what was measured is kept (default: a day)")  # fmt: skip
    add("--weights", type=Path, metavar="DIR", help="keep the random weights here, and take them if they are there")
    add("--commit", default="", metavar="HASH", help="of what is measured, where the folder is no git checkout")
    add("--json", type=Path, metavar="FILE", help="write the result, after every process anew")
    add("--plot", type=Path, metavar="FILE", help="draw the result as .svg, .png or .pdf (needs matplotlib)")
    add("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"), help="compare two results instead of measuring")
    add("--gate", type=_share, metavar="PERCENT", help="with --compare: fail if a figure is worse by more than this")
    add("--smoke", action="store_true", help="tiny sizes: checks that everything works, measures nothing")
    return parser


def presets_of(args: argparse.Namespace) -> list[BenchmarkPreset]:
    """The configurations of ours that are asked for. Raises ValueError with a sentence."""
    asked = [find_preset(name) for name in args.presets]
    if args.model:
        asked.append(model_preset(args.model))
    chosen = asked or [find_preset(name) for name in DEFAULT_PRESETS]
    made = []
    for preset in chosen:
        words = (*preset.accelerate, *args.accelerate)
        Acceleration().changed(words)
        size, dtype = args.size or preset.size, args.dtype or preset.dtype
        changed = dataclasses.replace(preset, accelerate=words, size=size, dtype=dtype)
        made.append(small_form(changed) if args.smoke else changed)
    return made


def jobs_of(args: argparse.Namespace, weights: Path) -> list[Job]:
    """One job per configuration, ours and the reference's. Random weights are expected in `weights`."""
    paces = SMOKE_PACES if args.smoke else Job("", "", (0, 0), 0).paces
    jobs = [
        Job(
            preset.name,
            str(weights / PRESET_FILES[preset.model]) if preset.model in PRESET_FILES else preset.model,
            preset.size,
            SMOKE_CHUNKS if args.smoke else args.chunks,
            tuple(args.parts),
            preset.accelerate,
            preset.chunk_frames,
            args.device,
            preset.dtype,
            args.threads,
            preset.memory_gb,
            SMOKE_SWITCHES if args.smoke else args.switches,
            tuple(paces),
            most_warm_up_chunks=SMOKE_WARM_UP if args.smoke else 60,
            is_smoke=args.smoke,
        )
        for preset in presets_of(args)
    ]
    for variant in args.variants if args.upstream else ():
        size = SMOKE_SIZE if args.smoke else args.size or find_preset("exact").size
        chunks = SMOKE_CHUNKS if args.smoke else args.upstream_chunks
        reference = Job(variant, str(weights / PRESET_FILES[RANDOM_TINY_DECODER]), size, chunks, device=args.device)
        where = {"checkout": str(args.upstream.resolve()), "weights": str(weights), "variant": variant}
        jobs.append(dataclasses.replace(reference, **where, is_smoke=args.smoke))
    return jobs


def _said(read: Callable[[str], tuple[int, int]]) -> Callable[[str], tuple[int, int]]:
    def checked(text: str) -> tuple[int, int]:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _whole(least: int, most: int) -> Callable[[str], int]:
    def checked(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return checked


def _share(text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0.0 <= percent <= 1000.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of percent from 0 to 1000")
    return percent / 100
