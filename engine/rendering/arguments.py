"""The options of `render`, their types and ranges, in groups. Knows nothing of what they do."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from engine.acceleration import add_acceleration_arguments
from engine.chunk_source import DEFAULT_MODEL, DEVICES, DTYPES
from engine.frame_size import parse_size
from engine.params import SEED_MAX
from engine.plans.memory_arguments import add_memory_arguments
from engine.rendering.names import NAME_STYLES
from engine.video_in.arguments import add_input_arguments

DEFAULT_LENGTH_S = 10.0
DEFAULT_THREADS = 2
LONGEST_S = 1e6  # eleven days; more is a slip of the hand, and no disk holds it
MOST_LATENT_FRAMES = 4_000_000  # the same time at 16 frames per second
MOST_SAMPLES = 10_000
MOST_THREADS = 1024  # OpenMP ends the process when the system refuses it a thread
NOISE_ORDERS = ("counted", "upstream")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `render`."""
    _add_content(parser)
    _add_beginning(parser)
    _add_length(parser)
    _add_model(parser)
    add_input_arguments(parser)
    _add_output(parser)


def _add_content(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--prompt", metavar="TEXT", help="render one prompt")
    what.add_argument("--look", metavar="FILE", help="render a look: its prompts, weights and settings")
    what.add_argument("--timeline", metavar="FILE", help="render a timeline (TOML, or Scope JSON)")
    what.add_argument("--prompts", type=Path, metavar="FILE", help="render one clip per line of a text file")
    parser.add_argument(
        "--extended-prompts",
        type=Path,
        metavar="FILE",
        help="a longer text for each line of --prompts: given to the model",
    )
    parser.add_argument(
        "--samples", type=_count(MOST_SAMPLES), metavar="N", help="clips per prompt, with seeds --seed, --seed + 1, ..."
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="seed of the noise (default: the file's, else 0)")
    parser.add_argument(
        "--noise",
        choices=NOISE_ORDERS,
        default=NOISE_ORDERS[0],
        help="counted: by seed and frame, the same on every device; upstream: drawn in the published program's order, "
        "one seed for all clips, for comparing with it frame by frame on the same GPU (default: %(default)s)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE.yaml",
        help="a Reward Forcing configuration: its steps, window, sink, chunk, seed, samples, and its data_path where "
        "no prompt is given",
    )


def _add_beginning(parser: argparse.ArgumentParser) -> None:
    beginning = parser.add_mutually_exclusive_group()
    beginning.add_argument("--first-frame", type=Path, metavar="IMAGE", help="go on from a picture (image to video)")
    beginning.add_argument(
        "--extend", type=Path, metavar="CLIP", help="go on from the end of a clip, at the model's size and rate"
    )
    parser.add_argument(
        "--include-input",
        action="store_true",
        help="begin the file with what is gone on from, as the model sees it; --seconds counts what comes after",
    )


def _add_length(parser: argparse.ArgumentParser) -> None:
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--seconds",
        type=_seconds,
        metavar="S",
        help=f"length; inf = --endless (default: the timeline's, else {DEFAULT_LENGTH_S:g})",
    )
    length.add_argument(
        "--latent-frames",
        type=_count(MOST_LATENT_FRAMES),
        metavar="N",
        help="length in latent frames: 1 + 4(N - 1) frames; 21 are the published 5 s",
    )
    length.add_argument(
        "--endless", action="store_true", help="go on until Ctrl-C; the file can be played whatever ends it"
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model name, FILE.toml or DIR (default: %(default)s)")
    parser.add_argument(
        "--ema", action="store_true", help="of a checkpoint that holds both, the averaged weights (generator_ema)"
    )
    parser.add_argument(
        "--lora",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE[:WEIGHT]",
        help="LoRAs to mix in, files or names in your loras folder, each with its weight (default: 1)",
    )
    parser.add_argument("--size", type=_size, metavar="WxH", help="picture size in pixels (default: the model's own)")
    parser.add_argument(
        "--threads",
        type=_count(MOST_THREADS),
        default=DEFAULT_THREADS,
        metavar="N",
        help="CPU threads (default: %(default)s); another number may change the last bits",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: %(default)s)")
    parser.add_argument(
        "--dtype", choices=DTYPES, default="auto", help="number format (default: float32 on a CPU, bfloat16 on a GPU)"
    )
    add_memory_arguments(parser)
    add_acceleration_arguments(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="video file (.mp4, .mov, .mkv); for many clips a folder, or a name with {index}, {slug}, {prompt}, {seed} "
        "or {sample}",
    )
    parser.add_argument(
        "--names",
        choices=NAME_STYLES,
        default=NAME_STYLES[0],
        help="of clips in a folder: numbered; vbench: PROMPT-SAMPLE.mp4; upstream: the prompt's first 50 characters "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--lossless", action="store_true", help="write FFV1 in Matroska (.mkv): every pixel as it was made"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not (0.0 < seconds <= LONGEST_S or seconds == float("inf")):
        raise argparse.ArgumentTypeError(
            f"{text} is no length: give seconds above 0, for example 4, and at most {LONGEST_S:g}"
        )
    return seconds


def _count(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = _whole(text)
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is outside 1 to {most}")
        return number

    return read


def _seed(text: str) -> int:
    number = _whole(text)
    if not 0 <= number <= SEED_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no seed: seeds go from 0 to {SEED_MAX}")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
