"""Words of a command line that say how a model is loaded: where its text encoder runs, how much memory it takes."""

from __future__ import annotations

import argparse
import re

from engine.plans.memory_plan import TEXT_PLACES, MemoryChoice

LEAST_GB, MOST_GB = 0.1, 10_000.0


def add_memory_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --text-encoder, --memory, --no-vace, --decoder-device and --half-decode."""
    parser.add_argument(
        "--text-encoder",
        choices=TEXT_PLACES,
        default="auto",
        help="where a large text encoder runs: beside the model, on the processor, or there in a process of its own "
        "(default: what the memory allows)",
    )
    parser.add_argument(
        "--memory",
        type=_gigabytes,
        metavar="GB",
        help="the most memory to plan for on the GPU (default: what is free); `vj models list NAME` shows the plans",
    )
    parser.add_argument(
        "--no-vace",
        action="store_true",
        help="leave out what control video and references guide with: it takes 2 to 5 GB beside a 1.3B model",
    )

    parser.add_argument(
        "--decoder-device",
        type=_device,
        default="",
        metavar="DEVICE",
        help="decode on a device of its own, such as cuda:1: the model makes the next chunk meanwhile (default: "
        "where the model is)",
    )
    parser.add_argument(
        "--half-decode",
        action="store_true",
        help="decode pictures of half the height and width, which the output enlarges: a little faster on a small "
        "machine; only with a tiny autoencoder, and without VACE",
    )


def memory_choice(args: argparse.Namespace) -> MemoryChoice:
    """What these arguments ask for."""
    return MemoryChoice(args.text_encoder, args.memory, not args.no_vace, args.decoder_device, args.half_decode)


def memory_words(choice: MemoryChoice) -> list[str]:
    """The same as words, for a process that is started."""
    words = [] if choice.text_place == "auto" else ["--text-encoder", choice.text_place]
    words += [] if choice.limit_gb is None else ["--memory", f"{choice.limit_gb:g}"]
    words += ["--decoder-device", choice.decoder_device] if choice.decoder_device else []
    words += ["--half-decode"] if choice.is_half else []
    return words if choice.with_vace else [*words, "--no-vace"]


def _device(text: str) -> str:
    if text and not re.fullmatch(r"cpu|cuda(:\d+)?", text):  # the default goes through here, too
        raise argparse.ArgumentTypeError(f"{text!r} is no device: cpu, or cuda:0, cuda:1 ..")
    return text


def _gigabytes(text: str) -> float:
    try:
        gigabytes = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of gigabytes") from None
    if not LEAST_GB <= gigabytes <= MOST_GB:
        raise argparse.ArgumentTypeError(f"{text} is outside {LEAST_GB:g} to {MOST_GB:g} GB")
    return gigabytes
