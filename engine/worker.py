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
from pathlib import Path
from typing import BinaryIO

from engine.chunk_source import DEFAULT_MODEL, DEVICES, DTYPES, SourceChoice
from engine.frame_size import parse_size
from engine.inbox import Inbox
from engine.messages import Command, Message, Ready, Values, decode, encode
from engine.worker_loop import run_worker

ORPHAN_GRACE_S = 10.0  # a chunk under way may end; after this a hung device must not keep an orphan alive
_LOG = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the engine until its stdin closes or "stop" comes; return the exit code."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        size = parse_size(args.size) if args.size else None
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Ctrl-C reaches every process of a terminal; the instrument decides when the engine ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = MessagePipe(_clean_stdout())
    inbox = Inbox()
    # a copy: an interpreter that ends while a thread reads sys.stdin itself aborts
    words = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    threading.Thread(target=_read_messages, args=(words, inbox, pipe), name="stdin", daemon=True).start()
    choice = SourceChoice(args.model, size, args.device, args.dtype, args.threads)
    try:
        return run_worker(choice, args.ring, inbox, pipe.send)
    except BrokenPipeError:
        return 0  # the instrument is gone: nobody is left to tell
    finally:
        pipe.close()


class MessagePipe:
    """Messages out, one line each. Used by one thread."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.has_loaded = False  # whether the model is there and the stream has begun; any thread may ask

    def send(self, message: Message) -> None:
        """Write one line. Raises BrokenPipeError when nobody reads any more."""
        self._file.write(encode(message))
        self._file.flush()
        self.has_loaded = self.has_loaded or isinstance(message, Ready)

    def close(self) -> None:
        """Close the pipe; a reader that left is no error."""
        try:
            self._file.close()
        except BrokenPipeError:
            _LOG.info("the instrument had left")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine.worker",
        description="The engine process: reads values and commands as JSON lines on stdin, answers on stdout, "
        "writes frames into a ring file. Started by the instrument.",
    )
    parser.add_argument("--ring", type=Path, required=True, metavar="FILE", help="where to make the ring of frames")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model name, FILE.toml or DIR (default: %(default)s)")
    parser.add_argument("--size", metavar="WxH", help="picture size in pixels (default: the model's own)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default: %(default)s)")
    parser.add_argument("--dtype", choices=DTYPES, default="auto", help="number format (default: %(default)s)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores but one)")
    return parser


def _clean_stdout() -> BinaryIO:
    """Take stdout for the messages alone: whatever else is printed, by any library, lands on stderr."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return messages


def _read_messages(file: BinaryIO, inbox: Inbox, pipe: MessagePipe) -> None:
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
    if not pipe.has_loaded:
        os._exit(0)  # nothing is lost, and loading a model does not look at its inbox
    deadline = threading.Timer(ORPHAN_GRACE_S, os._exit, args=(0,))
    deadline.daemon = True
    deadline.start()


if __name__ == "__main__":
    sys.exit(main())
