"""A capture process: `python -m vj.inputs.capture`. JSON lines on stdin and stdout, pictures in two rings.

One input each, so that a driver that hangs takes nothing with it. Ends when its stdin closes.
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
from vj.inputs.grabbing import Grabber
from vj.inputs.messages import InputState, InputWishes, decode_wishes
from vj.inputs.publishing import Publisher

STATUS_S = 0.25
LOOK_S = 0.02  # how soon a change of the state is told
_LOG = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Capture until stdin closes; return the exit code."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # Ctrl-C reaches every process of a terminal; the instrument decides when a capture ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    words = os.dup(sys.stdin.fileno())
    outbox = Outbox(take_stdout(), InputState, on_broken=lambda: os._exit(0))
    cv2.setNumThreads(1)  # pictures are small, and the cores belong to the model
    grabber = Grabber()
    publisher = Publisher(grabber, args.folder, args.number)

    def wish(wishes: InputWishes) -> None:
        publisher.wish(wishes)
        grabber.wish(wishes)

    threading.excepthook = _end_at_once
    threading.Thread(target=_read_wishes, args=(words, wish), name="stdin", daemon=True).start()
    grabber.start()
    publisher.start()
    _tell_states(grabber, publisher, outbox)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vj.inputs.capture",
        description="A capture process: reads what is wanted as JSON lines on stdin, answers on stdout, writes "
        "pictures into two ring files. Started by the instrument.",
    )
    parser.add_argument("--folder", type=Path, required=True, metavar="DIR", help="where to make the rings")
    parser.add_argument("--number", type=int, required=True, metavar="N", help="number of the input, from 1")
    return parser


def _end_at_once(failed: threading.ExceptHookArgs) -> None:
    """End the process with a thread of it: the panels begin it anew; half of it would look as if all were well."""
    _LOG.error("a thread failed", exc_info=(failed.exc_type, failed.exc_value, failed.exc_traceback))
    os._exit(1)


def _read_wishes(descriptor: int, wish: Callable[[InputWishes], None]) -> None:
    """Hand on wishes until the panels close the pipe or die, and end the process then: a driver may hang."""
    with os.fdopen(descriptor, "rb") as words:
        for line in words:
            try:
                wish(decode_wishes(line))
            except (ValueError, TypeError) as error:
                _LOG.warning("%s", error)
    os._exit(0)


def _tell_states(grabber: Grabber, publisher: Publisher, outbox: Outbox) -> None:
    """Say how it stands: at once when it changes, else a few times a second."""
    told, told_s = InputState(), 0.0
    while True:
        time.sleep(LOOK_S)
        state = grabber.state
        problem = state.problem or (publisher.problem if state.state in ("live", "held") else "")
        moved_ns = min(state.moved_ns, publisher.moved_ns)
        state = dataclasses.replace(state, problem=problem, moved_ns=moved_ns, process_id=os.getpid())
        if _shown(state) != _shown(told) or time.monotonic() - told_s > STATUS_S:
            told, told_s = state, time.monotonic()
            outbox.put(state)


def _shown(state: InputState) -> tuple[str | int, ...]:
    """What is worth a word at once."""
    return state.state, state.problem, state.name, state.width, state.height


if __name__ == "__main__":
    sys.exit(main())
