"""`python -m vj.stage RUN_FOLDER`: the output in a process of its own. Started by the panels; outlives them."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QGuiApplication, QSurfaceFormat

from vj.output.display_loss import DisplayWatch
from vj.output.displays import DisplayError, check_display_server, output_format
from vj.run_folder import remove_run_folder
from vj.stage.record import StageRecord
from vj.stage.stage import Stage

EXIT_DONE, EXIT_FAILED = 0, 1
# Qt waits 5 ms before each repaint to gather requests; at 60 Hz that is a third of the time there is
UPDATE_IDLE_VARIABLE = "QT_QPA_UPDATE_IDLE_TIME"
_LOG = logging.getLogger("vj.stage")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play until the show is over; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vj.stage", description="The output of a show that `vj run` plays.")
    parser.add_argument("folder", metavar="RUN_FOLDER", type=Path, help="folder of the run, with its stage.block")
    folder = parser.parse_args(arguments).folder
    logging.basicConfig(level=logging.INFO, format="%(asctime)s stage: %(message)s", stream=sys.stderr)
    logging.getLogger("OpenGL").setLevel(logging.WARNING)
    try:
        check_display_server()
    except DisplayError as error:
        _LOG.error("%s", error)
        return EXIT_FAILED
    os.environ.setdefault(UPDATE_IDLE_VARIABLE, "0")
    QSurfaceFormat.setDefaultFormat(output_format())
    application = QGuiApplication(["vj"])
    application.setQuitOnLastWindowClosed(False)
    _go_on_after_faults()
    try:
        stage = Stage(folder, lambda: QGuiApplication.exit(EXIT_DONE))
    except (OSError, ValueError) as error:
        _LOG.error("%s", error)
        return EXIT_FAILED
    return _play(application, stage, folder)


def _play(application: QGuiApplication, stage: Stage, folder: Path) -> int:
    record = StageRecord.of_this_process(folder)
    try:
        record.write()
    except OSError as error:
        _LOG.warning("panels that are started anew will not find this stage: %s", error)
    _end_on_sigterm()
    gc.collect()
    gc.freeze()  # what was built so far is never looked through again: no refresh is late for it
    with DisplayWatch(record.remove):
        try:
            if not stage.has_ended:
                application.exec()
        finally:
            stage.close()
            record.remove()
    if stage.has_ended and not stage.are_panels_there:
        remove_run_folder(folder)  # nobody else will
    return EXIT_DONE


def _end_on_sigterm() -> None:
    def leave(number: int, frame: FrameType | None) -> None:
        _LOG.info("%s: the stage ends", signal.Signals(number).name)
        QTimer.singleShot(0, lambda: QGuiApplication.exit(EXIT_DONE))

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the panels
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _go_on_after_faults() -> None:
    """Log what a slot raises and go on: PyQt would end the process."""
    told: set[str] = set()

    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if repr(error) not in told:  # a fault in drawing comes 60 times a second
            told.add(repr(error))
            _LOG.error("a fault on the stage; the show goes on", exc_info=(kind, error, trace))

    sys.excepthook = note


if __name__ == "__main__":
    sys.exit(main())
