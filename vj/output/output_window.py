"""Output window: what the audience sees. Draws once per display refresh and never asks anything of anyone.

Knows a renderer, whom to ask for scenes and for output parameters; knows nothing of the store, panels or the engine.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from PyQt6.QtCore import QRect, Qt, QThread, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeyEvent, QScreen
from PyQt6.QtOpenGL import QOpenGLWindow

from vj.effects.notes import EffectNote
from vj.output.displays import is_software, output_format
from vj.output.effect_thread import EffectThread
from vj.output.gl_objects import ShaderError
from vj.output.pacing import RefreshPace
from vj.output.params import OutputParams
from vj.output.renderer import Renderer
from vj.output.shared_scenes import SceneView
from vj.output.tap import OutputTap
from vj.output.test_card import draw_test_card
from vj.output.wakefulness import Wakefulness

NS_PER_MS = 1_000_000
MEASURED_REFRESHES = 90
_LOG = logging.getLogger(__name__)


class OutputWindow(QOpenGLWindow):
    """One output. Belongs to the GUI thread. Keys: B blackout, Tab panels; nothing closes it but the program's end."""

    key_pressed = pyqtSignal(QKeyEvent)  # any key but Tab; Esc ends nothing
    key_released = pyqtSignal(QKeyEvent)
    panels_pressed = pyqtSignal()
    close_refused = pyqtSignal()

    def __init__(
        self, scenes: SceneView, read_params: Callable[[], OutputParams], tap: OutputTap | None = None
    ) -> None:
        super().__init__()
        self._tap = tap
        self.is_fullscreen = False
        self.has_ended = False  # set by the program's end: only then does the window close
        self.gl_name = ""  # what draws: a card, or a software rasteriser
        self._scenes = scenes
        self._read_params = read_params
        self._renderer: Renderer | None = None
        self._effects: EffectThread | None = None
        self._window_place = QRect(0, 0, 960, 540)
        self._pace = RefreshPace(0.0)
        self._refreshes: deque[int] = deque(maxlen=MEASURED_REFRESHES)
        self._has_moved = False  # to another display, since the last drawing
        self._began_ns = self._drawn_ns = 0  # the last drawing
        self._busy_ns = 0  # time.process_time_ns() when it began
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.update)
        self._wakefulness = Wakefulness()
        self.setFormat(output_format())
        self.setTitle("vj output")
        self.frameSwapped.connect(self._ask_for_next)
        self.screenChanged.connect(self._follow_screen)

    @property
    def has_unwaited_swaps(self) -> bool:
        """Whether swaps come back at once: it may tear. A software rasteriser has nothing to wait for."""
        return self._pace.is_timed and not is_software(self.gl_name)

    @property
    def effect_notes(self) -> tuple[EffectNote, ...]:
        """What the users' slots play, and what is wrong with any effect's file."""
        return self._renderer.effects.notes() if self._renderer is not None else ()

    @property
    def fps(self) -> float:
        """Refreshes drawn per second, of late."""
        span_ns = self._refreshes[-1] - self._refreshes[0] if self._refreshes else 0
        return (len(self._refreshes) - 1) * 1e9 / span_ns if span_ns > 0 else 0.0

    def show_on(self, screen: QScreen, place: QRect | None = None) -> None:
        """Show as a window on a display, at `place` (default: where it was last)."""
        self.is_fullscreen = False
        self._window_place = place or self._window_place
        self.unsetCursor()
        self._wakefulness.release()
        self.setFlags(Qt.WindowType.Window)
        self.setScreen(screen)
        self.showNormal()
        self.setGeometry(self._window_place)
        self.raise_()  # on the panels' own display it would lie under them where nothing manages windows

    def cover(self, screen: QScreen) -> None:
        """Cover a display, with or without a window manager."""
        if not self.is_fullscreen and self.isVisible():
            self._window_place = self.geometry()
        self.is_fullscreen = True
        self.setCursor(Qt.CursorShape.BlankCursor)
        self._wakefulness.hold()
        # without a window manager showFullScreen alone leaves the size as it was: the geometry comes first
        self.setFlags(Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint)
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self.showFullScreen()
        self.setGeometry(screen.geometry())
        self.raise_()
        self.requestActivate()

    def leave(self) -> None:
        """Be seen nowhere until it is shown or covers again."""
        self.is_fullscreen = False
        self._wakefulness.release()
        self.hide()

    def end(self) -> None:
        """Free what the renderer owns and close; the program ends."""
        self.has_ended = True
        self._wakefulness.release()
        self._timer.stop()
        if self._effects is not None:
            self._effects.end()
            self._effects = None
        if self._renderer is not None and self.context() is not None:
            self.makeCurrent()
            self._renderer.release()
            self.doneCurrent()
        self._renderer = None
        self._scenes.close()
        self.close()

    def initializeGL(self) -> None:
        """Compile the shaders; without them the window stays black and says why."""
        try:
            is_es = self.context().isOpenGLES()
            self._renderer = Renderer(self._scenes, is_es=is_es, draw_card=self._draw_card, tap=self._tap)
            self.gl_name = self._renderer.gl_name
            if self._effects is not None:  # of a context that is gone
                self._effects.end()
            self._effects = EffectThread(self._renderer.effects, self.context())
            self._effects.start(QThread.Priority.LowPriority)
        except ShaderError as error:
            _LOG.error("the output cannot draw: %s", error)

    def paintGL(self) -> None:
        """Draw what is due now."""
        if self._renderer is None:
            return
        began_ns, busy_ns = time.monotonic_ns(), time.process_time_ns()
        ratio = self.devicePixelRatio()
        size = (max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        if self._has_moved:
            self._has_moved = False
            self._renderer.presenter.forget_card()
        self._refreshes.append(began_ns)
        self._scenes.note_lag(self._pace.lag_ns)
        self._renderer.draw(self._read_params(), began_ns, size, self.defaultFramebufferObject())
        self._began_ns, self._drawn_ns = began_ns, time.monotonic_ns()
        self._busy_ns = busy_ns

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Bring the panels up by Tab; hand every other key on."""
        if event.key() not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.key_pressed.emit(event)
        elif not event.isAutoRepeat():
            self.panels_pressed.emit()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Hand every key on."""
        self.key_released.emit(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Refuse: the show is ended from the panels."""
        if not self.has_ended:
            event.ignore()
            self.close_refused.emit()

    def _ask_for_next(self) -> None:
        now_ns = time.monotonic_ns()
        # a swap that waits for nothing is where a software rasteriser does its work
        spent_ns = (now_ns if self._pace.is_timed else self._drawn_ns) - self._began_ns
        self._pace.note_cost(spent_ns, time.process_time_ns() - self._busy_ns)
        delay_ms = self._pace.delay_ns(now_ns) / NS_PER_MS
        if delay_ms < 1.0:
            self.update()
        else:
            self._timer.start(round(delay_ms))

    def _follow_screen(self, screen: QScreen | None) -> None:
        if screen is not None:
            self._pace.set_rate(screen.refreshRate())
            self._has_moved = True

    def _draw_card(self, width: int, height: int) -> np.ndarray:
        screen = self.screen()
        name, rate_hz = (screen.name(), screen.refreshRate()) if screen is not None else ("no display", 0.0)
        return draw_test_card(name, width, height, rate_hz)
