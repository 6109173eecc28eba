"""When the display server ends in mid-show: one sentence, everything taken down, exit code 1.

Qt and Xlib would each end the process in their own words, with the engine and the controllers still running.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from PyQt6.QtCore import QMessageLogContext, QtMsgType, qFormatLogMessage, qInstallMessageHandler

EXIT_FAILED = 1
QT_SAYS = ("The X11 connection broke", "The Wayland connection broke")
SENTENCE = "the display is gone: its server has ended, and the show with it"
_X_ERROR_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_LOG = logging.getLogger(__name__)


class DisplayWatch:
    """Use as a context for as long as there are windows, on the GUI thread."""

    def __init__(self, take_down: Callable[[], None]) -> None:
        """`take_down` ends what has no window; it is called at most once, on the thread that noticed."""
        self._take_down = take_down
        self._has_ended = threading.Lock()
        self._on_x_error = _X_ERROR_HANDLER(lambda display: self._end())

    def __enter__(self) -> DisplayWatch:
        """Listen to what Qt says, and to Xlib: OpenGL talks to the X server by it, and may notice first."""
        qInstallMessageHandler(self._read_message)
        _hand_to_xlib(self._on_x_error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let Qt and Xlib speak for themselves again."""
        qInstallMessageHandler(None)
        _hand_to_xlib(None)

    def _read_message(self, kind: QtMsgType, context: QMessageLogContext, message: str | None) -> None:
        text = message or ""
        if text.startswith(QT_SAYS):
            self._end()
        sys.stderr.write(f"{qFormatLogMessage(kind, context, text)}\n")

    def _end(self) -> int:
        if self._has_ended.acquire(blocking=False):
            _LOG.error(SENTENCE)
            self._take_down()
            sys.stderr.flush()
            os._exit(EXIT_FAILED)  # whatever would still run needs the display
        return 0


def _hand_to_xlib(handler: object) -> None:
    """Set what Xlib calls when its server is gone; None = its own, which ends the process."""
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return  # then nothing here uses it
    xlib.XSetIOErrorHandler(handler)
