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
from dataclasses import dataclass, field, replace
from types import FrameType, TracebackType

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QFont, QSurfaceFormat
from PyQt6.QtWidgets import QApplication

from engine.chunk_source import SourceChoice
from engine.messages import GeneratorStatus
from engine.parameter import Value
from vj.app.key_player import KeyPlayer
from vj.app.main_window import MainWindow
from vj.app.output_control import OutputControl
from vj.app.output_places import asked_places, kept_places, missing_displays
from vj.app.performance_sources import read_performance
from vj.app.problem_board import ProblemBoard
from vj.app.stage_start import have_stage, panic_settings
from vj.controllers.osc.endpoint import OscPortError
from vj.effects.shipped import FAULTS
from vj.engine_params import RESTORE_ADDRESS
from vj.generator_thread import GeneratorThread
from vj.modulation.presentation import seen_at_ns
from vj.output.display_loss import DisplayWatch
from vj.output.displays import (
    DisplayError,
    check_display_server,
    check_opengl,
    output_format,
)
from vj.output.params import OUTPUT_PARAMETERS
from vj.performance import Performance, PerformanceOptions
from vj.presets.repertoire import SAVED
from vj.recording.names import SAVED_FILE
from vj.stage.link import ShowFacts
from vj.stage.messages import Placement
from vj.stage.panic import Settings
from vj.texts_ahead import coming_texts

EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USE = 0, 1, 2
OUTPUT_ADDRESSES = tuple(parameter.address for parameter in OUTPUT_PARAMETERS)
STAGE_SOURCE = "output key"
# Qt waits 5 ms before each repaint to gather requests; at 60 Hz that is a third of the time there is
UPDATE_IDLE_VARIABLE = "QT_QPA_UPDATE_IDLE_TIME"
SWITCH_INTERVAL_S = 0.0005  # a controller's flood holds the interpreter this long at most when a frame is due
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """What `vj run` was asked for, checked as far as that needs no display."""

    choice: SourceChoice
    performance: PerformanceOptions = PerformanceOptions()
    display: str = ""  # names or numbers; empty = the last one when fullscreen, else the first
    show_outputs: Mapping[int, str] = field(default_factory=dict)  # what a show's outputs covered
    is_fullscreen: bool = False
    is_engine_in_process: bool = False
    is_stage_in_process: bool = False
    seconds: float | None = None  # end by itself; None = never
    problems: tuple[str, ...] = ()  # what was wrong in files and is left out


class Instrument:
    """Everything that runs during a show. Belongs to the GUI thread."""

    def __init__(self, options: RunOptions, places: tuple[Placement, ...]) -> None:
        """Build and connect; nothing runs yet. Raises OscPortError for a port asked for and taken, OSError."""
        self._options = options
        self._places = places
        self.problems = ProblemBoard(
            {
                "engine": lambda: (self._generator.failures or ("",))[-1],
                "command": self._last_refusal,
                "osc": lambda: self._performance.osc.status().last_problem if self._performance.osc else "",
                "clock": lambda: self._performance.tempo.problem,
                "effect": lambda: next((note.problem for note in self.stage.state.effects if note.problem), ""),
                "displays": lambda: "; ".join(self.stage.state.warnings),
            }
        )
        for sentence in (*options.problems, *missing_displays(places), *FAULTS.values()):
            self._tell(sentence)
        # first: it gets ready while the rest is built
        self.stage = have_stage(options.choice, places, is_in_process=options.is_stage_in_process)
        try:
            self._build(options)
        except (OscPortError, OSError):
            self.stage.leave()
            raise

    def _build(self, options: RunOptions) -> None:
        self._performance = performance = Performance(
            options.performance,
            self._tell,
            lambda: self._generator.status,
            lambda: self.stage.status,
            self.stage.folder,
        )
        self._store, self._controls = performance.store, performance.controls
        self._generator = GeneratorThread(
            performance.store,
            performance.commands,
            options.choice,
            is_in_process=options.is_engine_in_process,
            modulate=self._modulate_for_engine,
            folder=self.stage.folder,
            armed=lambda: performance.decks.armed,
        )
        self._generator.ahead.foresee(lambda: coming_texts(performance.repertoire))
        performance.pictures.tell(self.stage.want_pictures)
        performance.sharing.follow_display(lambda: self.stage.output.refresh_hz)
        performance.recording.follow_stage(lambda: self.stage.state.tap_missed)
        performance.decks.show_on(self.stage.take, str(self._generator.ring_path))
        performance.controls.answer(RESTORE_ADDRESS, lambda press: self._generator.restore_size())
        sources = read_performance(performance, lambda: self._generator.status, self.stage, self.problems)
        sources = replace(sources, engine=lambda: self._generator.facts, effect_notes=lambda: self.stage.state.effects)
        self.panels = MainWindow(self._controls, sources)
        self.panels.end_confirmed.connect(_leave)
        # the keys of the instrument play on the output too; those that open pages and sheets do not
        keys = KeyPlayer(performance.router, {}, lambda: False)
        self._output = OutputControl(self.stage, self.panels, keys, performance.repertoire, self._tell)

    def start(self) -> None:
        """Show the windows, then start the engine and let the controllers in."""
        self._performance.apply_first_look()
        if self.stage.was_found:  # what a hand did on the output meanwhile holds
            row = {address: value for address, (value, time_ns) in self.stage.state.panic.items() if time_ns}
            self._controls.set_many(row, STAGE_SOURCE)
        places = self._output_places()
        self._output.place_panels(places)
        self.panels.show()
        self._output.start(places)
        self.stage.follow(
            ShowFacts(
                lambda: self._store.version,
                self._output_values,
                lambda: panic_settings(self._store),
                self._adopt,
                self._output.heard.emit,
                self._tell,
            )
        )
        # the windows are drawn before the engine takes the processor
        QTimer.singleShot(0, self._start_engine)

    def stop(self) -> None:
        """Stop in reverse order; nothing is left behind."""
        self._performance.stop()
        self._output.stop()
        self.stage.end()
        self._generator.stop()
        self.panels.hide()

    def abandon(self) -> None:
        """Stop what has no window: the display is gone, and every call of Qt's would fail. Any thread."""
        self.stage.abandon()
        self._performance.stop(is_asked=False)
        self._generator.stop()

    def _start_engine(self) -> None:
        self._generator.start()
        self._performance.start()

    def _output_places(self) -> tuple[Placement, ...]:
        """Where the outputs are: those of a stage that was found stay, unless this run was asked for something."""
        options, stage = self._options, self.stage
        if not stage.was_found:
            return self._places
        if options.display or options.is_fullscreen:
            for place in self._places:
                stage.place(place)
        return stage.placements

    def _output_values(self) -> Mapping[str, Value]:
        """What the stage draws with, modulated for now. Called by the stage link's thread."""
        values = self._performance.modulation.effective(self._store.snapshot(), time.monotonic_ns())
        return {address: values[address] for address in OUTPUT_ADDRESSES}

    def _adopt(self, settings: Settings) -> None:
        """Take over what a key on the output has set. Called by the stage link's thread."""
        held = panic_settings(self._store)
        newer = {address: value for address, (value, time_ns) in settings.items() if time_ns > held[address][1]}
        if newer:
            self._controls.set_many(newer, STAGE_SOURCE)

    def _modulate_for_engine(self, values: Mapping[str, Value], status: GeneratorStatus) -> Mapping[str, Value]:
        """Evaluate modulators for the moment at which the next chunk will be seen. Called by the generator thread."""
        chunk_frames, pending = int(values["/vj/model/chunk"]), self._performance.commands.pending()
        at_ns = seen_at_ns(time.monotonic_ns(), status, self.stage.status, chunk_frames, pending)
        return self._performance.modulation.effective(values, at_ns)

    # -- what the panels show ------------------------------------------------------------------------------------

    def _last_refusal(self) -> str:
        refusal = self._performance.commands.last_refusal
        return refusal.error if refusal else ""

    def _tell(self, sentence: str) -> None:
        if sentence.startswith((SAVED, SAVED_FILE)):
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
        places = _choose_places(options)
    except DisplayError as error:
        return complain(str(error), EXIT_WRONG_USE if str(error).startswith("--display") else EXIT_FAILED)
    _end_on_signals()  # from here on there is something to take down
    try:
        instrument = Instrument(options, places)
    except (OscPortError, OSError) as error:
        return complain(str(error), EXIT_FAILED)
    _keep_the_show_going(instrument)
    if options.seconds is not None:
        QTimer.singleShot(round(options.seconds * 1000), _leave)
    with DisplayWatch(instrument.abandon):
        instrument.start()
        _LOG.info("the show is on: %s, output on %s", options.choice.model, ", ".join(p.display for p in places))
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


def _choose_places(options: RunOptions) -> tuple[Placement, ...]:
    if options.display:
        return asked_places(options.display, options.show_outputs, is_fullscreen=options.is_fullscreen)
    return kept_places(options.show_outputs, is_fullscreen=options.is_fullscreen)


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
    """End cleanly on Ctrl-C and SIGTERM, not with the terminal. Python runs the handler at the panels' next poll."""

    def quit_show(number: int, frame: FrameType | None) -> None:
        _LOG.info("%s: the show ends", signal.Signals(number).name)
        QTimer.singleShot(0, _leave)  # by the event loop, which may not have begun

    handled: Mapping[str, signal.Signals] = signal.Signals.__members__
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if name in handled:
            signal.signal(handled[name], quit_show)
    if "SIGHUP" in handled:
        signal.signal(handled["SIGHUP"], signal.SIG_IGN)  # a terminal that is closed by mistake ends no show
