"""The stage's output windows by number: opened, placed and closed as ordered, and what becomes of lost displays.

Belongs to the GUI thread. Knows nothing of the block or of who gives the orders.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PyQt6 import sip
from PyQt6.QtCore import QObject, QRect, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QScreen

from vj.output.displays import corner_of
from vj.output.output_window import OutputWindow
from vj.output.params import OutputParams
from vj.output.refresh_notes import refresh_notes, refresh_warnings
from vj.output.shared_scenes import SharedScenes
from vj.output.tap import OutputTap
from vj.stage.messages import OutputFacts, Placement

_LOG = logging.getLogger(__name__)


@dataclass
class _Output:
    """One open output."""

    window: OutputWindow
    placement: Placement  # the last order carried out
    covered: str = ""  # name of the display it covers
    lost: str = ""  # name of the one it waits for


class Outputs(QObject):
    """Any number of them; the first is always open."""

    key_pressed = pyqtSignal(int, QKeyEvent)  # number of the output, event
    key_released = pyqtSignal(int, QKeyEvent)
    panels_pressed = pyqtSignal(int)
    close_refused = pyqtSignal(int)
    display_lost = pyqtSignal(int, str)  # number of the output, name of the display
    display_found = pyqtSignal(int, str)

    def __init__(
        self, scenes: SharedScenes, read_params: Callable[[int], OutputParams], tap: OutputTap | None = None
    ) -> None:
        """`read_params` says what to draw an output with, by its number; `tap` reads back what the first one shows."""
        super().__init__()
        self._tap = tap
        self._scenes = scenes
        self._read_params = read_params
        self._open: dict[int, _Output] = {}
        self._open_one(1)
        application = QGuiApplication.instance()
        application.screenRemoved.connect(self._lose_display)
        application.screenAdded.connect(self._find_display)

    @property
    def first(self) -> OutputWindow:
        """The window of the first output."""
        return self._open[1].window

    def update(self) -> None:
        """Draw every output anew."""
        for output in self._open.values():
            output.window.update()

    def place(self, wanted: Sequence[Placement]) -> bool:
        """Carry out what is new in these orders; outputs that are not named are closed. Say whether anything was."""
        orders = {order.output: order for order in wanted}
        closed = [number for number in self._open if number not in orders and number != 1 and orders]
        for number in closed:
            self._close(number)
        new = [one for one in orders.values() if self._serial(one.output) != one.serial]
        for order in new:
            self._place(order)
        return bool(closed or new)

    def facts(self) -> tuple[OutputFacts, ...]:
        """Say where every open output is."""
        return tuple(_facts(number, output) for number, output in sorted(self._open.items()))

    def warnings(self) -> list[str]:
        """Say what of the displays' rates may tear or judder: sentences, none where all is well."""
        unwaited = [o.covered for o in self._shown().values() if o.covered and o.window.has_unwaited_swaps]
        return refresh_warnings(self._rates_hz(), tuple(unwaited))

    def notes(self, content_fps: float) -> list[str]:
        """Say which displays' rates the stream's does not divide."""
        return refresh_notes(self._rates_hz(), content_fps)

    def _rates_hz(self) -> dict[str, float]:
        screens = (output.window.screen() for output in self._shown().values())
        return {screen.name(): screen.refreshRate() for screen in screens if screen is not None}

    def close(self) -> None:
        """Close every window."""
        application = QGuiApplication.instance()
        application.screenRemoved.disconnect(self._lose_display)
        application.screenAdded.disconnect(self._find_display)
        for number in list(self._open):
            self._close(number)

    # -- opening and closing -----------------------------------------------------------------------------------------

    def _open_one(self, number: int) -> _Output:
        tap = self._tap if number == 1 else None
        window = OutputWindow(self._scenes.view(), lambda: self._read_params(number), tap)
        if number > 1:
            window.setTitle(f"vj output {number}")
        window.key_pressed.connect(lambda event: self.key_pressed.emit(number, event))
        window.key_released.connect(lambda event: self.key_released.emit(number, event))
        window.panels_pressed.connect(lambda: self.panels_pressed.emit(number))
        window.close_refused.connect(lambda: self.close_refused.emit(number))
        self._open[number] = opened = _Output(window, Placement(output=number))
        return opened

    def _close(self, number: int) -> None:
        window = self._open.pop(number).window
        window.end()
        sip.delete(window)  # now: collected in the middle of another's drawing it would take the context from it

    def _serial(self, number: int) -> int:
        return self._open[number].placement.serial if number in self._open else 0

    def _shown(self) -> Mapping[int, _Output]:
        return {number: output for number, output in self._open.items() if output.window.isVisible()}

    # -- placing -------------------------------------------------------------------------------------------------------

    def _place(self, order: Placement) -> None:
        screen = _screen(order.display)
        output = self._open.get(order.output) or self._open_one(order.output)
        output.placement, output.lost = order, ""
        if order.is_fullscreen and screen is None and order.display:
            self._wait_for(output, order.display)
        elif order.is_fullscreen:
            self._cover(output, screen or QGuiApplication.primaryScreen())
        else:
            output.covered = ""
            place = QRect(*order.window) if order.window else None
            output.window.show_on(screen or QGuiApplication.primaryScreen(), place)

    def _cover(self, output: _Output, screen: QScreen) -> None:
        if output.window.is_fullscreen and output.window.isVisible() and output.covered == screen.name():
            output.window.raise_()
            output.window.requestActivate()
            return
        output.covered = screen.name()
        output.window.cover(screen)

    def _wait_for(self, output: _Output, name: str) -> None:
        """Do without a display until it is there: the first output as a window, the others unseen."""
        output.lost, output.covered = name, ""
        if output.placement.output == 1:
            left = QGuiApplication.primaryScreen()
            output.window.show_on(left, corner_of(left))
        else:
            output.window.leave()

    # -- displays that come and go ---------------------------------------------------------------------------------

    def _lose_display(self, screen: QScreen) -> None:
        """Leave fullscreen when its display is gone: the system moved the output over something else."""
        for number, output in self._open.items():
            if output.window.is_fullscreen and output.covered == screen.name():
                _LOG.warning("the display %s of output %d is gone", screen.name(), number)
                self._wait_for(output, screen.name())
                self.display_lost.emit(number, screen.name())

    def _find_display(self, screen: QScreen) -> None:
        """Cover a display that was lost as soon as it is there again."""
        for number, output in list(self._open.items()):
            if output.lost and output.lost == screen.name():
                output.lost = ""
                self._cover(output, screen)
                self.display_found.emit(number, screen.name())


def _facts(number: int, output: _Output) -> OutputFacts:
    window, screen = output.window, output.window.screen()
    ratio = window.devicePixelRatio()
    is_seen = window.isVisible() and screen is not None
    return OutputFacts(
        output=number,
        display=screen.name() if is_seen else "",
        is_fullscreen=window.is_fullscreen,
        width=round(window.width() * ratio),
        height=round(window.height() * ratio),
        refresh_hz=screen.refreshRate() if is_seen else 0.0,
        fps=window.fps if is_seen else 0.0,
        placed=output.placement.serial,
        lost=output.lost,
    )


def _screen(name: str) -> QScreen | None:
    return next((screen for screen in QGuiApplication.screens() if screen.name() == name), None)
