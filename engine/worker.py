"""The engine process: `python -m engine.worker`. JSON lines on stdin and stdout, frames in the ring, logs on stderr.

Knows of pipes and signals only; what is done with the words is `worker_loop.py`.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.acceleration import add_acceleration_arguments
from engine.chunk_source import DEFAULT_MODEL, DEVICES, DTYPES, SourceChoice
from engine.frame_size import parse_size
from engine.inbox import Inbox
from engine.live.threads import PASSIVE_THREADS
from engine.messages import SPARE_READY, Command, Done, GeneratorStatus, Message, Ready, Start, Values, decode
from engine.outbox import Outbox
from engine.plans.memory_arguments import add_memory_arguments, memory_choice
from engine.spare_import import import_engine
from engine.terminal import take_stdout
from engine.worker_run import run_worker

ORPHAN_GRACE_S = 10.0  # a chunk under way may end; after this a hung device must not keep an orphan alive
STATUS_S = 0.5  # a status is sent at least this often, also while a chunk is being made
_LOG = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the engine until its stdin closes or "stop" comes; return the exit code."""
    args = _parser().parse_args(arguments)
    for name, value in PASSIVE_THREADS.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        size = parse_size(args.size) if args.size else None
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Ctrl-C reaches every process of a terminal; the instrument decides when the engine ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    life = _Life()
    inbox = Inbox()
    outbox = Outbox(take_stdout(), GeneratorStatus, repeat_s=STATUS_S, on_broken=inbox.close)
    # a copy: an interpreter that ends while a thread reads sys.stdin itself aborts
    words = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    if args.spare:
        importing = import_engine(lambda: outbox.put(Done(SPARE_READY)))
        start = _read_start(words)
        if start is None:
            os._exit(0)  # the instrument is gone, or needs no spare any more; imports may be under way
        importing.join()
    else:
        how = (args.device, args.dtype, args.threads, args.light, memory_choice(args), tuple(args.accelerate))
        start = Start(str(args.ring), args.model, size, *how)
    threading.Thread(target=_read_messages, args=(words, inbox, life), name="stdin", daemon=True).start()
    choice = SourceChoice(
        start.model,
        start.size,
        start.device,
        start.dtype,
        start.threads,
        start.is_light,
        memory=start.memory,
        accelerate=start.accelerate,
    )

    def send(message: Message) -> None:
        outbox.put(message)
        life.has_loaded = life.has_loaded or isinstance(message, Ready)

    try:
        return run_worker(choice, Path(start.ring), inbox, send)
    finally:
        outbox.close()


@dataclass
class _Life:
    """What the thread that reads stdin must know of the other."""

    has_loaded: bool = False  # whether the model is there and the stream has begun


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.worker",
        description="The engine process: reads values and commands as JSON lines on stdin, answers on stdout, "
        "writes frames into a ring file. Started by the instrument.",
    )
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--ring", type=Path, metavar="FILE", help="where to make the ring of frames")
    place.add_argument(
        "--spare", action="store_true", help="import what a model needs, then wait on stdin to be told which one"
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model name, FILE.toml or DIR (default: %(default)s)")
    parser.add_argument("--size", metavar="WxH", help="picture size in pixels (default: the model's own)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: %(default)s)")
    parser.add_argument("--dtype", choices=DTYPES, default="auto", help="number format (default: %(default)s)")
    parser.add_argument("--light", action="store_true", help="decode with the model's light decoder, if it has one")
    add_memory_arguments(parser)
    add_acceleration_arguments(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores but one)")
    return parser


def _read_start(file: BinaryIO) -> Start | None:
    """Wait for the word that makes a spare an engine; None when the pipe closes instead."""
    for line in file:
        try:
            message = decode(line)
        except ValueError as error:
            _LOG.warning("%s", error)
            continue
        if isinstance(message, Start):
            return message
        _LOG.warning("a %s message is not for a spare", message.type)
    return None


def _read_messages(file: BinaryIO, inbox: Inbox, life: _Life) -> None:
    """Fill the inbox until the instrument closes the pipe or dies."""
    for line in file:
        try:
            message = decode(line)
        except ValueError as error:
            _LOG.warning("%s", error)
            continue
        if isinstance(message, Values | Command):
            inbox.put(message)
        else:
            _LOG.warning("a %s message is not for the engine", message.type)
    inbox.close()
    if not life.has_loaded:
        os._exit(0)  # nothing is lost, and loading a model does not look at its inbox
    deadline = threading.Timer(ORPHAN_GRACE_S, os._exit, args=(0,))
    deadline.daemon = True
    deadline.start()


if __name__ == "__main__":
    sys.exit(main())
