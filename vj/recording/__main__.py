"""`python -m vj.recording RUN_FOLDER`: the recorder's process. Started by the panels, ends with them, files whole."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from engine.outbox import Outbox
from engine.terminal import take_stdout
from vj.recording.messages import RecorderState, decode_wishes
from vj.recording.recorder import Recorder

TELL_S = 0.25
LOOK_S = 0.03  # how soon a change is told
NICENESS = 10  # the picture comes first: where cores are short, recordings lack pictures, not the display
_LOG = logging.getLogger("vj.recording")


def main(arguments: Sequence[str] | None = None) -> int:
    """Record as wished until stdin closes; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m vj.recording",
        description="A recorder: reads what is wanted as JSON lines on stdin, answers on stdout. Started by `vj run`.",
    )
    parser.add_argument("folder", metavar="RUN_FOLDER", type=Path, help="folder of the run, with its rings")
    folder = parser.parse_args(arguments).folder
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # a signal to the whole group is for the panels, who decide when a recording ends
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if name in signal.Signals.__members__:
            signal.signal(signal.Signals[name], signal.SIG_IGN)
    if sys.platform != "win32":
        os.nice(NICENESS)
    words = os.dup(sys.stdin.fileno())
    outbox = Outbox(take_stdout(), RecorderState)
    recorder = Recorder(folder)
    has_ended = threading.Event()
    threading.excepthook = _end_at_once
    threading.Thread(target=_read_wishes, args=(words, recorder, has_ended), name="stdin", daemon=True).start()
    recorder.start()
    _tell_states(recorder, outbox, has_ended)
    recorder.stop()
    os._exit(0)  # a disk that hangs holds up a thread, and would hold up the end


def _read_wishes(descriptor: int, recorder: Recorder, has_ended: threading.Event) -> None:
    with os.fdopen(descriptor, "rb") as words:
        for line in words:
            try:
                recorder.wish(decode_wishes(line))
            except (ValueError, TypeError) as error:
                _LOG.warning("%s", error)
    has_ended.set()


def _tell_states(recorder: Recorder, outbox: Outbox, has_ended: threading.Event) -> None:
    """Say how it stands: at once when something happens, else a few times a second."""
    told, told_s = RecorderState(), 0.0
    while not has_ended.wait(LOOK_S):
        state = dataclasses.replace(recorder.state, process_id=os.getpid())
        if _event(state) != _event(told) or time.monotonic() - told_s > TELL_S:
            told, told_s = state, time.monotonic()
            outbox.put(state)


def _event(state: RecorderState) -> tuple[object, ...]:
    return state.state, state.take, state.ended, state.file, state.saved, state.saved_file, state.problems


def _end_at_once(failed: threading.ExceptHookArgs) -> None:
    """End the process with a thread of it: the panels begin it anew; half of it would look as if all were well."""
    _LOG.error("a thread failed", exc_info=(failed.exc_type, failed.exc_value, failed.exc_traceback))
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
