"""The options of `evaluate`, their types and ranges, in groups. Knows nothing of what they do."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from engine.chunk_source import DEVICES, DTYPES
from engine.evaluation.vbench_scores import DIMENSIONS
from engine.frame_size import parse_size

SECTIONS = ("captions", "prompts", "blends", "switches", "drift", "hour", "autoencoder")
USUAL_SECTIONS = ("captions", "blends", "switches", "drift")
DEFAULT_THREADS = 2
WAN_CHUNK_FRAMES = 12


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Declare the options."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Measure videos, or a model's own streams, without downloads; or run the official VBench.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong use. What each figure means: docs/evaluation.md.",
    )
    parser.add_argument("videos", nargs="*", type=Path, metavar="DIR|FILE", help="video files, or folders of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    _add_files(parser.add_argument_group("videos"))
    _add_model(parser.add_argument_group("a model's own streams"))
    _add_vbench(parser.add_argument_group("the official VBench, in an environment of its own"))
    return parser


def _add_files(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--chunk-frames",
        type=_count(0, 10_000),
        default=WAN_CHUNK_FRAMES,
        metavar="N",
        help="frames of a chunk, the first one three fewer, for the seam; 0 = there are none (default: %(default)s)",
    )
    group.add_argument(
        "--switch-at",
        type=_number(0.0, 1e6),
        metavar="S",
        help="second at which another prompt was asked for: how many frames the picture takes",
    )


def _add_model(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model", metavar="NAME", help="model name, FILE.toml or DIR: make its streams and judge them")
    group.add_argument(
        "--measures",
        type=_sections,
        metavar="LIST",
        help=f"of {', '.join(SECTIONS)}, with commas (default: {','.join(USUAL_SECTIONS)}; with --prompts that alone)",
    )
    group.add_argument(
        "--prompts", type=Path, metavar="FILE", help="one per line, or TOML with [[prompts]] text, family, palette"
    )
    group.add_argument(
        "--seconds", type=_number(0.5, 3600.0), default=4.0, metavar="S", help="of each prompt (default: %(default)g)"
    )
    for name, most, default, what in (
        ("captions", 100_000, 70, "held-out captions"),
        ("blends", 10_000, 20, "pairs blended half and half"),
        ("switches", 10_000, 6, "pairs switched between"),
        ("clips", 1_000, 3, "drawn clips of each family, for `autoencoder`"),
    ):
        group.add_argument(
            f"--{name}", type=_count(1, most), default=default, metavar="N", help=f"{what} (default: %(default)s)"
        )
    group.add_argument(
        "--drift-minutes", type=_number(0.5, 1e5), default=10.0, metavar="M", help="length (default: %(default)g)"
    )
    group.add_argument(
        "--hours", type=_number(0.01, 1e3), default=1.0, metavar="H", help="of `hour` (default: %(default)g)"
    )
    group.add_argument("--seed", type=_count(0, 2**31), default=0, metavar="N", help="of the first stream")
    group.add_argument(
        "--chunk", type=int, choices=(1, 3), default=3, help="latent frames made together (default: %(default)s)"
    )
    group.add_argument("--size", type=_size, metavar="WxH", help="picture size in pixels (default: the model's own)")
    group.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: %(default)s)")
    group.add_argument("--dtype", choices=DTYPES, default="auto", help="number format (default: float32 on a CPU)")
    group.add_argument(
        "--threads", type=_count(1, 1024), default=DEFAULT_THREADS, metavar="N", help="CPU threads (%(default)s)"
    )
    group.add_argument(
        "--lora",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="LoRAs to mix in, files or names in your loras folder, each with its weight (default: 1)",
    )
    group.add_argument(
        "--rewards",
        type=_rewards,
        default=(),
        metavar="LIST",
        help="scores of every caption's stream, with commas: looks,motion:flicker,hps... (docs/rewards.md)",
    )
    group.add_argument("--classifier", type=Path, metavar="FILE", help="another than the shipped one")
    group.add_argument(
        "--exam",
        action="store_true",
        help="measure the classifier itself anew on clips it was not trained on, instead of citing its file",
    )


def _add_vbench(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--vbench", metavar="COMMAND", help="the official program, for example vbench-env/bin/vbench; measures DIR"
    )
    group.add_argument(
        "--vbench-mode",
        choices=("standard", "custom"),
        default="standard",
        help="standard: clips called PROMPT-N.mp4 after VBench's prompts (`vj render --names vbench`); "
        "custom: any clips, for the dimensions that need no prompt list",
    )
    group.add_argument(
        "--vbench-dimensions", nargs="+", choices=list(DIMENSIONS), metavar="NAME", help="default: all sixteen"
    )
    group.add_argument(
        "--vbench-results", nargs="+", type=Path, metavar="FILE", help="result files it wrote before: scores only"
    )


def _count(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is outside {least} to {most}")
        return number

    return read


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not (math.isfinite(number) and least <= number <= most):
            raise argparse.ArgumentTypeError(f"{text} is outside {least:g} to {most:g}")
        return number

    return read


def _sections(text: str) -> tuple[str, ...]:
    chosen = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in chosen:
        if word not in SECTIONS:
            raise argparse.ArgumentTypeError(f"{word!r} is no measure; there are {', '.join(SECTIONS)}")
    if not chosen:
        raise argparse.ArgumentTypeError(f"name at least one of {', '.join(SECTIONS)}")
    return chosen


def _rewards(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
