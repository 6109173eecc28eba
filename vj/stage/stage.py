"""The stage: an output window, the reader of the ring, and the panic row by its own keys. Waits for nobody.

Reads the panels' latest wishes at every refresh and tells its state 30 times a second. Needs a Qt application.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, QRect, Qt, QTimer
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QScreen

from engine.parameter import Value
from vj.output.displays import corner_of
from vj.output.decks import DeckReader
from vj.output.output_window import OutputWindow
from vj.output.params import OUTPUT_PARAMETERS, OutputParams
from vj.run_folder import keep_run_folder
from vj.stage.block import BLOCK_NAME, DECK_RING_NAME, RING_NAME, StageBlock
from vj.stage.messages import (
    KEPT_EVENTS,
    EventKind,
    OutputFacts,
    Placement,
    StageEvent,
    StageState,
    Wishes,
    decode_wishes,
    encode,
)
from vj.stage.panic import PanicRow

LOOK_MS = 20  # between two looks at where the output is to be
TELL_NS = 30_000_000
PANELS_GONE_NS = 3_000_000_000  # panels that did nothing for so long do not answer a key
TWICE_NS = 3_000_000_000
OTHER_KEYS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_LOG = logging.getLogger(__name__)


class Stage(QObject):
    """Belongs to the GUI thread of its process."""

    def __init__(self, folder: Path, end: Callable[[], None]) -> None:
        """`end` is called once, when the show is over or a hand on the output ends it without panels.

        Raises OSError or ValueError when the run's folder holds no block.
        """
        super().__init__()
        self._block = StageBlock.attach(folder / BLOCK_NAME)
        keep_run_folder(folder)
        self._end = end
        self.has_ended = False
        self._row = PanicRow()
        self._wishes = Wishes()
        self._values: dict[str, Value] = {p.address: p.default for p in OUTPUT_PARAMETERS}
        self._params = OutputParams.from_values(self._values)
        self._placement = Placement()  # the last order carried out
        self._lost = ""  # name of the display that went while it was covered
        self._covered = ""  # name of the one that is covered
        self._events: deque[StageEvent] = deque(maxlen=KEPT_EVENTS)
        self._event_count = 0
        self._told_ns = 0
        self._asked_to_end_ns = 0
        self._reader = DeckReader(folder / RING_NAME, folder / DECK_RING_NAME)
        self.window = OutputWindow(self._reader, self.read_params)
        self.window.key_pressed.connect(self._press)
        self.window.key_released.connect(lambda event: self._note_key("release", event))
        self.window.panels_pressed.connect(lambda: self._note("press", Qt.Key.Key_Tab.value))
        self.window.close_refused.connect(lambda: self._note("close"))
        application = QGuiApplication.instance()
        application.screenRemoved.connect(self._lose_display)
        application.screenAdded.connect(self._find_display)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.look)
        self.look()
        self._timer.start(LOOK_MS)

    @property
    def are_panels_there(self) -> bool:
        """Whether the panels' window has done anything lately."""
        return time.monotonic_ns() - self._wishes.panels_ns < PANELS_GONE_NS

    def read_params(self) -> OutputParams:
        """Take in the panels' latest wishes, if there are new ones, and say what to draw with."""
        if self._block.wishes.is_new:
            self._read_wishes()
        return self._params

    def look(self) -> None:
        """Do what the panels ask of the window, and tell them how things are."""
        self.read_params()
        if self._wishes.is_ending and not self.has_ended:
            self._finish("the show is over")
            return
        if self._wishes.placement.serial != self._placement.serial:
            self._place(self._wishes.placement)
        if time.monotonic_ns() - self._told_ns >= TELL_NS:
            self.tell()

    def tell(self) -> None:
        """Write the state now."""
        self._told_ns = time.monotonic_ns()
        state = StageState(
            process_id=os.getpid(),
            time_ns=self._told_ns,
            status=dataclasses.replace(self._reader.status, state=self.window.continuity.state),
            output=self._output_facts(),
            panic=self._row.settings,
            events=tuple(self._events),
            gl_name=self.window.gl_name,
            bad_chunks=self.window.continuity.bad_chunks,
            fault=self.window.continuity.fault,
        )
        self._block.state.write(encode(state))

    def close(self) -> None:
        """Close the window and let go of the files."""
        self._timer.stop()
        self.has_ended = True
        application = QGuiApplication.instance()
        application.screenRemoved.disconnect(self._lose_display)
        application.screenAdded.disconnect(self._find_display)
        self.window.end()
        self._reader.close()

    # -- what the panels wish --------------------------------------------------------------------------------------

    def _read_wishes(self) -> None:
        data = self._block.wishes.read()
        try:
            self._wishes = decode_wishes(data)
        except (ValueError, TypeError) as error:
            _LOG.warning("from the panels: %s", error)
            return
        self._reader.order(self._wishes.take)
        self._row.merge(self._wishes.panic)
        self._make_params()

    def _make_params(self) -> None:
        wished, asked = self._wishes.values, self._wishes.panic
        for parameter in OUTPUT_PARAMETERS:
            address = parameter.address
            if address in wished:
                with contextlib.suppress(ValueError):  # of another version: the value stays as it was
                    self._values[address] = parameter.coerce(wished[address])
        for address, (value, time_ns) in self._row.settings.items():
            # what the panels set themselves comes with their modulation; a key of ours that is newer does not
            if time_ns > asked.get(address, (None, 0))[1]:
                self._values[address] = value
        self._params = OutputParams.from_values(self._values)

    # -- keys --------------------------------------------------------------------------------------------------------

    def _press(self, event: QKeyEvent) -> None:
        is_plain = not event.modifiers() & OTHER_KEYS
        key, now_ns = event.text().upper(), time.monotonic_ns()
        if is_plain and (not event.isAutoRepeat() or key in "+-=") and self._row.press(key, now_ns, self._values):
            self._make_params()
            self.window.update()
            self.tell()
            return
        if event.key() == Qt.Key.Key_Q and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._ask_to_end(now_ns)
        self._note_key("press", event)

    def _ask_to_end(self, now_ns: int) -> None:
        """End by Ctrl+Q, pressed twice, when there are no panels that could."""
        if self.are_panels_there:
            return
        if now_ns - self._asked_to_end_ns < TWICE_NS:
            self._finish("Ctrl+Q was pressed twice and there are no panels")
        self._asked_to_end_ns = now_ns

    def _finish(self, why: str) -> None:
        _LOG.info("%s: the stage ends", why)
        self.has_ended = True
        self._end()

    def _note_key(self, kind: EventKind, event: QKeyEvent) -> None:
        self._note(kind, event.key(), event.modifiers().value, event.text(), event.isAutoRepeat())

    def _note(self, kind: EventKind, key: int = 0, modifiers: int = 0, text: str = "", is_repeat: bool = False) -> None:
        self._event_count += 1
        self._events.append(StageEvent(self._event_count, kind, key, modifiers, text, is_repeat))
        self.tell()

    # -- displays ----------------------------------------------------------------------------------------------------

    def _place(self, wanted: Placement) -> None:
        self._placement, self._lost = wanted, ""
        screen = _screen(wanted.display) or QGuiApplication.primaryScreen()
        if wanted.is_fullscreen:
            self._cover(screen)
        else:
            self.window.show_on(screen, QRect(*wanted.window) if wanted.window else None)
        self.tell()

    def _cover(self, screen: QScreen) -> None:
        if self.window.is_fullscreen and self._covered == screen.name():
            self.window.raise_()
            self.window.requestActivate()
            return
        self._covered = screen.name()
        self.window.cover(screen)

    def _lose_display(self, screen: QScreen) -> None:
        """Leave fullscreen when its display is gone: the system moved the output over something else."""
        if self.window.is_fullscreen and screen.name() == self._covered:
            self._lost = screen.name()
            _LOG.warning("the display %s is gone; the output is a window now", self._lost)
            left = QGuiApplication.primaryScreen()
            self.window.show_on(left, corner_of(left))
            self._note("lost", text=self._lost)

    def _find_display(self, screen: QScreen) -> None:
        """Cover a display that was lost as soon as it is there again."""
        if self._lost and screen.name() == self._lost:
            self._lost = ""
            self._cover(screen)
            self._note("found", text=screen.name())

    def _output_facts(self) -> OutputFacts:
        window, screen = self.window, self.window.screen()
        ratio = window.devicePixelRatio()
        return OutputFacts(
            display=screen.name() if screen is not None else "",
            is_fullscreen=window.is_fullscreen,
            width=round(window.width() * ratio),
            height=round(window.height() * ratio),
            refresh_hz=screen.refreshRate() if screen is not None else 0.0,
            fps=self._reader.status.display_fps,
            placed=self._placement.serial,
        )


def _screen(name: str) -> QScreen | None:
    return next((screen for screen in QGuiApplication.screens() if screen.name() == name), None)
