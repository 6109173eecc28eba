"""The only place where store, output, engine, controllers and panels are built and connected, started and stopped.

Start order: store, output window, engine, controllers; stop order is the reverse.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import FrameType, TracebackType

from PyQt6.QtCore import QRect, QSize, Qt, QTimer
from PyQt6.QtGui import QFont, QGuiApplication, QScreen, QSurfaceFormat
from PyQt6.QtWidgets import QApplication

from engine.chunk_source import SourceChoice
from engine.messages import GeneratorStatus
from engine.parameter import Value
from vj.app.key_player import KeyPlayer
from vj.app.main_window import MainWindow
from vj.app.output_panel import BLACKOUT_ADDRESS
from vj.app.performance_sources import read_performance
from vj.app.problem_board import ProblemBoard
from vj.app.theme import DESIGN_SIZE
from vj.controllers.osc.endpoint import OscPortError
from vj.generator_thread import GeneratorThread
from vj.modulation.presentation import seen_at_ns
from vj.output.display_loss import DisplayWatch
from vj.output.displays import (
    DisplayError,
    check_display_server,
    check_opengl,
    describe,
    find_display,
    output_format,
)
from vj.output.frame_reader import FrameReader
from vj.output.output_window import OutputWindow
from vj.output.params import OutputParams
from vj.performance import Performance, PerformanceOptions
from vj.presets.repertoire import SAVED

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
PANEL_SIZE = DESIGN_SIZE
WINDOW_SHARE = 3  # of the display's width goes to an output that is not fullscreen
# Qt waits 5 ms before each repaint to gather requests; at 60 Hz that is a third of the time there is
UPDATE_IDLE_VARIABLE = "QT_QPA_UPDATE_IDLE_TIME"
SWITCH_INTERVAL_S = 0.0005  # a controller's flood holds the interpreter this long at most when a frame is due
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """What `vj run` was asked for, checked as far as that needs no display."""

    choice: SourceChoice
    performance: PerformanceOptions = PerformanceOptions()
    display: str = ""  # name or number; empty = the last one when fullscreen, else the first
    show_display: str = ""  # name of the one a show's output covered
    is_fullscreen: bool = False
    is_engine_in_process: bool = False
    seconds: float | None = None  # end by itself; None = never
    problems: tuple[str, ...] = ()  # what was wrong in files and is left out


class Instrument:
    """Everything that runs during a show. Belongs to the GUI thread."""

    def __init__(self, options: RunOptions, screen: QScreen) -> None:
        """Build and connect; nothing runs yet. Raises OscPortError for a port asked for and taken, OSError."""
        self._options = options
        self._screen = screen
        self.problems = ProblemBoard(
            {
                "engine": lambda: (self._generator.failures or ("",))[-1],
                "command": self._last_refusal,
                "osc": lambda: self._performance.osc.status().last_problem if self._performance.osc else "",
                "clock": lambda: self._performance.tempo.problem,
            }
        )
        for sentence in options.problems:
            self._tell(sentence)
        self._performance = performance = Performance(
            options.performance, self._tell, lambda: self._generator.status, lambda: self._reader.status
        )
        self._store, self._controls = performance.store, performance.controls
        self._generator = GeneratorThread(
            performance.store,
            performance.commands,
            options.choice,
            is_in_process=options.is_engine_in_process,
            modulate=self._modulate_for_engine,
        )
        self._reader = FrameReader(self._generator.ring_path)
        self.output = OutputWindow(self._reader, self._read_output_params)
        sources = read_performance(performance, lambda: self._generator.status, self._reader, self.problems)
        self.panels = MainWindow(self._controls, sources)
        self._connect()

    def start(self) -> None:
        """Show the windows, then start the engine and let the controllers in."""
        self._performance.apply_first_look()
        self._place_panels()
        self.panels.show()
        if self._options.is_fullscreen:
            self._cover(self._screen)
        else:
            self.output.show_on(self._screen, self._window_place())
        # the windows are drawn before the engine takes the processor
        QTimer.singleShot(0, self._start_engine)

    def stop(self) -> None:
        """Stop in reverse order; nothing is left behind."""
        self._performance.stop()
        self._generator.stop()
        self.output.end()
        self._reader.close()
        self.panels.hide()

    def abandon(self) -> None:
        """Stop what has no window: the display is gone, and every call of Qt's would fail. Any thread."""
        self._performance.stop(is_asked=False)
        self._generator.stop()

    def _start_engine(self) -> None:
        self._generator.start()
        self._performance.start()

    def _connect(self) -> None:
        # the keys of the instrument play on the output too; those that open pages and sheets do not
        self._output_keys = KeyPlayer(self._performance.router, {"B": self._toggle_blackout}, lambda: False)
        self.output.key_pressed.connect(self._output_keys.press)
        self.output.key_released.connect(self._output_keys.release)
        self.output.panels_pressed.connect(self._show_panels)
        self.output.close_refused.connect(self._refuse_close)
        self.panels.output_asked.connect(self._raise_output)
        self.panels.live.output.fullscreen_asked.connect(self._set_fullscreen)
        self.panels.end_confirmed.connect(_leave)
        QGuiApplication.instance().screenRemoved.connect(self._lose_display)

    def _toggle_blackout(self) -> None:
        self._controls.set(BLACKOUT_ADDRESS, not self._store.get(BLACKOUT_ADDRESS), "output key")

    def _read_output_params(self) -> OutputParams:
        values = self._performance.modulation.effective(self._store.snapshot(), time.monotonic_ns())
        return OutputParams.from_values(values)

    def _modulate_for_engine(self, values: Mapping[str, Value], status: GeneratorStatus) -> Mapping[str, Value]:
        """Evaluate modulators for the moment at which the next chunk will be seen. Called by the generator thread."""
        chunk_frames, pending = int(values["/vj/model/chunk"]), self._performance.commands.pending()
        at_ns = seen_at_ns(time.monotonic_ns(), status, self._reader.status, chunk_frames, pending)
        return self._performance.modulation.effective(values, at_ns)

    # -- windows -------------------------------------------------------------------------------------------------

    def _cover(self, screen: QScreen) -> None:
        self._screen = screen
        self.output.cover(screen)
        # a window manager that knows only focus would hide the output behind the panels again
        self.panels.show_cover(screen is self.panels.screen())
        self._show_output_state()

    def _set_fullscreen(self, display: int, is_on: bool) -> None:
        screens = QGuiApplication.screens()
        screen = screens[min(max(display, 0), len(screens) - 1)]
        if is_on:
            self._cover(screen)
        elif self.output.is_fullscreen:
            self._screen = screen
            self.output.show_on(screen, self._window_place())
            self.panels.show_cover(False)
            self.panels.bring_up()
            self._show_output_state()

    def _lose_display(self, screen: QScreen) -> None:
        """Leave fullscreen when its display is gone: the system moved the output over the panels."""
        if self.output.is_fullscreen and screen is self._screen:
            self._tell(f"the display {screen.name()} is gone; the output is a window now")
            self._screen = QGuiApplication.primaryScreen()
            self._set_fullscreen(0, False)

    def _show_output_state(self) -> None:
        self._performance.repertoire.display = self._screen.name() if self.output.is_fullscreen else ""
        screens = QGuiApplication.screens()
        screen = self.output.screen()
        self.panels.live.output.show_output(
            screens.index(screen) if screen in screens else -1, self.output.is_fullscreen
        )

    def _show_panels(self) -> None:
        self.panels.bring_up()

    def _raise_output(self) -> None:
        if self.output.is_fullscreen:
            self._cover(self.output.screen())

    def _refuse_close(self) -> None:
        self.panels.bring_up()
        self.panels.say("The output closes only with the show: press End show here.")

    def _place_panels(self) -> None:
        screens = [QGuiApplication.primaryScreen(), *QGuiApplication.screens()]
        others = [screen for screen in screens if screen is not self._screen]
        is_covered = self._options.is_fullscreen and screens[0] is self._screen and others
        place = (others if is_covered else screens)[0]
        free = place.availableGeometry()
        # a display of their own is theirs; one they share with the output leaves it a corner
        has_own = place is not self._screen
        self.panels.resize(free.size() if has_own else QSize(*PANEL_SIZE).boundedTo(free.size()))
        if has_own:
            self.panels.setWindowState(Qt.WindowState.WindowMaximized)
        self.panels.move(free.topLeft())  # unlike setGeometry, leaves room for a window manager's title bar

    def _window_place(self) -> QRect:
        """A window in the lower right corner of its display: the panels stay in reach."""
        free = self._screen.availableGeometry()
        width = free.width() // WINDOW_SHARE
        height = width * 9 // 16
        return QRect(free.right() - width, free.bottom() - height, width, height)

    # -- what the panels show ------------------------------------------------------------------------------------

    def _last_refusal(self) -> str:
        refusal = self._performance.commands.last_refusal
        return f"{refusal.command.name}: {refusal.error}" if refusal else ""

    def _tell(self, sentence: str) -> None:
        if sentence.startswith(SAVED):
            self.problems.news = sentence
            _LOG.info("%s", sentence)
        elif sentence:
            self.problems.note(sentence)
            _LOG.warning("%s", sentence)


def run_show(options: RunOptions) -> int:
    """Open the windows and play until the show is ended; return the exit code."""
    try:
        check_display_server()
        application = _make_application()
        check_opengl()
        screen = _choose_screen(options)
        if options.show_display and screen.name() == options.show_display:
            options = replace(options, is_fullscreen=True)
    except DisplayError as error:
        return complain(str(error), EXIT_WRONG_USE if str(error).startswith("--display") else EXIT_FAILED)
    _end_on_signals()  # from here on there is something to take down
    try:
        instrument = Instrument(options, screen)
    except (OscPortError, OSError) as error:
        return complain(str(error), EXIT_FAILED)
    _keep_the_show_going(instrument)
    if options.seconds is not None:
        QTimer.singleShot(round(options.seconds * 1000), _leave)
    with DisplayWatch(instrument.abandon):
        instrument.start()
        _LOG.info("the show is on: %s, output on %s", options.choice.model, describe(screen))
        try:
            application.exec()
        finally:
            instrument.stop()
    return EXIT_DONE


def complain(sentence: str, code: int) -> int:
    """Write one sentence to stderr and return the exit code."""
    sys.stderr.write(f"vj: {sentence}\n")
    return code


def _make_application() -> QApplication:
    os.environ.setdefault(UPDATE_IDLE_VARIABLE, "0")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    QSurfaceFormat.setDefaultFormat(output_format())
    application = QApplication(["vj"])
    application.setApplicationName("vj")
    application.setQuitOnLastWindowClosed(False)
    application.setStyle("Fusion")
    font = QFont()
    font.setStyleHint(QFont.StyleHint.SansSerif)
    application.setFont(font)
    return application


def _choose_screen(options: RunOptions) -> QScreen:
    if options.display:
        return find_display(options.display)
    for screen in QGuiApplication.screens():
        if options.show_display and screen.name() == options.show_display:
            return screen
    # fullscreen without a choice: the projector is the display that is not the performer's
    screens = QGuiApplication.screens()
    primary = QGuiApplication.primaryScreen()
    others = [screen for screen in screens if screen is not primary]
    return others[0] if options.is_fullscreen and others else primary


def _keep_the_show_going(instrument: Instrument) -> None:
    """Log what a slot raises and go on: the one catch-all of the GUI thread. PyQt would end the process."""

    told: set[str] = set()

    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            _leave()
            return
        sentence = f"{kind.__name__}: {error}"
        if sentence not in told:  # a panel that fails does so 30 times a second
            told.add(sentence)
            _LOG.error("a panel failed; the show goes on", exc_info=(kind, error, trace))
        instrument.problems.note(f"internal fault ({sentence}); the show goes on")

    sys.excepthook = note


def _leave() -> None:
    """End the event loop. Not `quit`: that asks every window first, and the output refuses to close."""
    QApplication.exit(EXIT_DONE)


def _end_on_signals() -> None:
    """End cleanly on Ctrl-C and SIGTERM. Python runs the handler at the next poll of the panels."""

    def quit_show(number: int, frame: FrameType | None) -> None:
        _LOG.info("%s: the show ends", signal.Signals(number).name)
        QTimer.singleShot(0, _leave)  # by the event loop, which may not have begun

    handled: Mapping[str, signal.Signals] = signal.Signals.__members__
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if name in handled:
            signal.signal(handled[name], quit_show)
