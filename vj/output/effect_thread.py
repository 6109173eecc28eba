"""A thread that reads and compiles effects while the output draws: in a context of its own that shares its objects.

Belongs to the output window, which starts and ends it.
"""

from __future__ import annotations

import logging
import threading
import time

from PyQt6.QtCore import QCoreApplication, QThread
from PyQt6.QtGui import QOffscreenSurface, QOpenGLContext

from vj.output.effect_library import EffectLibrary

BEGIN_S = 5.0  # what is not on yet waits for the first pictures: one compiler may serve both contexts
LOOK_S = 0.25  # between two looks at the files
REST = 10.0  # after each compiling, so many times as long as it took: a software rasteriser has no core to spare
_LOG = logging.getLogger(__name__)


class EffectThread(QThread):
    """Made, started and ended by the GUI thread."""

    def __init__(self, library: EffectLibrary, drawing: QOpenGLContext) -> None:
        """`drawing` is the context that draws with what is compiled here."""
        super().__init__()
        self._library = library
        self._stop = threading.Event()
        self._surface = QOffscreenSurface()
        self._surface.setFormat(drawing.format())
        self._surface.create()  # only the GUI thread may
        self._context = QOpenGLContext()
        self._context.setFormat(drawing.format())
        self._context.setShareContext(drawing)
        self._has_context = self._context.create()
        if not self._has_context:
            _LOG.error("there is no second OpenGL context: the output has no effects")
        self._context.moveToThread(self)

    def run(self) -> None:
        """Look until it is ended. The thread's own."""
        if not self._has_context or not self._context.makeCurrent(self._surface):
            return
        started = time.monotonic()
        while not self._stop.is_set():
            began = time.monotonic()
            done = self._library.look(at_most=int(began - started > BEGIN_S))
            spent_s = time.monotonic() - began
            if self._library.has_news.wait(REST * spent_s if done else LOOK_S):
                self._library.has_news.clear()  # before the next look: what comes now is not missed
        self._library.leave()
        self._context.doneCurrent()
        self._context.moveToThread(QCoreApplication.instance().thread())  # which lets go of it

    def end(self) -> None:
        """Stop looking; the one program that is being compiled is waited for."""
        self._stop.set()
        self._library.is_leaving = True
        self._library.has_news.set()
        self.wait()  # a thread that still draws would take the process with it
