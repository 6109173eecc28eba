"""A sending process: `python -m vj.sharing.process`. JSON lines on stdin and stdout, pictures from the output's ring.

One kind each, so that a driver that hangs or crashes takes nothing with it. Ends when its stdin closes.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from engine.outbox import Outbox
from engine.terminal import take_stdout
from vj.sharing.kinds import KIND_OF
from vj.sharing.messages import ShareState, ShareWishes, decode_wishes
from vj.sharing.sending import Sending

STATUS_S = 0.25
NICENESS = 5  # where the processor is short, pictures are lost here and not on the display
LEAVE_S = 0.5  # for a sender to say goodbye to its receivers
_LOG = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Send until stdin closes; return the exit code."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # a signal to the whole group is for the panels, who decide when sending ends
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if name in signal.Signals.__members__:  # Windows has fewer
            signal.signal(signal.Signals[name], signal.SIG_IGN)
    if sys.platform != "win32":
        os.nice(NICENESS)
    words = os.dup(sys.stdin.fileno())
    outbox = Outbox(take_stdout(), ShareState, on_broken=lambda: os._exit(0))
    cv2.setNumThreads(1)  # the cores belong to the model
    sending = Sending(args.kind, args.ring)
    is_over = threading.Event()
    threading.Thread(target=_read_wishes, args=(words, sending.wish, is_over), name="stdin", daemon=True).start()
    told, told_s = ShareState(), 0.0
    while not is_over.is_set():
        sending.step()
        state = dataclasses.replace(sending.state, process_id=os.getpid())
        if _shown(state) != _shown(told) or time.monotonic() - told_s > STATUS_S:
            told, told_s = state, time.monotonic()
            outbox.put(state)
    sending.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vj.sharing.process",
        description="A sending process: reads what is wanted as JSON lines on stdin, answers on stdout, sends the "
        "pictures of a ring to other programs. Started by the instrument.",
    )
    parser.add_argument("--kind", choices=tuple(KIND_OF), required=True, help="how to send")
    parser.add_argument("--ring", type=Path, required=True, metavar="FILE", help="where the output's pictures are")
    return parser


def _read_wishes(descriptor: int, wish: Callable[[ShareWishes], None], is_over: threading.Event) -> None:
    """Hand on wishes until the panels close the pipe or die, and end the process then: a driver may hang."""
    with os.fdopen(descriptor, "rb") as words:
        for line in words:
            try:
                wish(decode_wishes(line))
            except (ValueError, TypeError) as error:
                _LOG.warning("%s", error)
    is_over.set()
    time.sleep(LEAVE_S)
    os._exit(0)


def _shown(state: ShareState) -> tuple[str | int, ...]:
    """What is worth a word at once."""
    return state.state, state.problem, state.name, state.width, state.height, state.receivers


if __name__ == "__main__":
    sys.exit(main())
