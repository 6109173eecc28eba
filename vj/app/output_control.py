"""Where the output is shown, and what happens on it: between the stage and the panels' window.

Belongs to the GUI thread; knows nothing of how the stage runs.
"""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QScreen

from vj.app.key_player import KeyPlayer
from vj.app.main_window import MainWindow
from vj.app.theme import DESIGN_SIZE
from vj.output.displays import corner_of
from vj.presets.repertoire import Repertoire
from vj.stage.link import StageLink
from vj.stage.messages import Placement, StageEvent

BEAT_MS = 200
PANELS_SHOWN_MS = 100
_KINDS = {"press": QEvent.Type.KeyPress, "release": QEvent.Type.KeyRelease}


def window_on(screen: QScreen) -> Placement:
    """A window in a corner of a display."""
    return Placement(display=screen.name(), window=corner_of(screen).getRect())


def cover_of(screen: QScreen) -> Placement:
    """A whole display."""
    return Placement(display=screen.name(), is_fullscreen=True)


class OutputControl(QObject):
    """Orders the output about, and lets its keys play the instrument."""

    heard = pyqtSignal(object)  # StageEvent; emitted by the link's thread, answered on this one

    def __init__(
        self,
        link: StageLink,
        panels: MainWindow,
        keys: KeyPlayer,
        repertoire: Repertoire,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._link = link
        self._panels = panels
        self._keys = keys
        self._repertoire = repertoire
        self._tell = tell
        self._is_fullscreen = False
        self._are_panels_up = False  # over an output that covers their display
        self._screen = QGuiApplication.primaryScreen()
        self.heard.connect(self._answer)
        panels.output_asked.connect(self._raise_output)
        panels.live.output.fullscreen_asked.connect(self._set_fullscreen)
        self._timer = QTimer(self)
        self._timer.timeout.connect(link.beat)

    def start(self, screen: QScreen, *, is_fullscreen: bool) -> None:
        """Begin with an output that has been ordered to a display."""
        self._screen, self._is_fullscreen = screen, is_fullscreen
        self._timer.start(BEAT_MS)
        self._show_state()
        QTimer.singleShot(PANELS_SHOWN_MS, self._place_again)  # above the panels, whichever was shown first

    def stop(self) -> None:
        """Say no more that the panels are alive."""
        self._timer.stop()

    def place_panels(self, *, is_fullscreen: bool, screen: QScreen) -> None:
        """Find the panels a place that the output leaves free."""
        screens = [QGuiApplication.primaryScreen(), *QGuiApplication.screens()]
        others = [other for other in screens if other is not screen]
        is_covered = is_fullscreen and screens[0] is screen and others
        place = (others if is_covered else screens)[0]
        free = place.availableGeometry()
        # a display of their own is theirs; one they share with the output leaves it a corner
        has_own = place is not screen
        self._panels.resize(free.size() if has_own else QSize(*DESIGN_SIZE).boundedTo(free.size()))
        if has_own:
            self._panels.setWindowState(Qt.WindowState.WindowMaximized)
        self._panels.move(free.topLeft())  # unlike setGeometry, leaves room for a window manager's title bar

    def _cover(self, screen: QScreen) -> None:
        self._screen, self._is_fullscreen, self._are_panels_up = screen, True, False
        self._link.place(cover_of(screen))
        self._show_state()

    def _set_fullscreen(self, display: int, is_on: bool) -> None:
        screens = QGuiApplication.screens()
        screen = screens[min(max(display, 0), len(screens) - 1)]
        if is_on:
            self._cover(screen)
        elif self._is_fullscreen:
            self._screen, self._is_fullscreen = screen, False
            self._link.place(window_on(screen))
            self._panels.bring_up()
            self._show_state()

    def _place_again(self) -> None:
        self._link.place((cover_of if self._is_fullscreen else window_on)(self._screen))

    def _raise_output(self) -> None:
        if self._is_fullscreen:
            self._cover(self._screen)

    def _show_state(self) -> None:
        self._repertoire.display = self._screen.name() if self._is_fullscreen else ""
        # a window manager that knows only focus would hide the output behind the panels again
        self._panels.show_cover(self._is_fullscreen and self._screen is self._panels.screen())
        screens = QGuiApplication.screens()
        number = screens.index(self._screen) if self._screen in screens else -1
        self._panels.live.output.show_output(number, self._is_fullscreen)

    # -- what happens on the output --------------------------------------------------------------------------------

    def _answer(self, event: StageEvent) -> None:
        if event.kind == "close":
            self._panels.bring_up()
            self._panels.say("The output closes only with the show: press End show here.")
        elif event.kind in ("lost", "found"):
            self._follow_display(event)
        elif event.key == Qt.Key.Key_Tab.value:
            self._turn_panels()
        else:
            self._play(event)

    def _turn_panels(self) -> None:
        """Bring the panels up, or the output back when they are up already.

        Without a window manager the server may leave the keyboard with the output: the older of two requests loses.
        """
        if self._are_panels_up:
            self._raise_output()
            return
        self._panels.bring_up()
        self._are_panels_up = self._is_fullscreen

    def _play(self, event: StageEvent) -> None:
        modifiers = Qt.KeyboardModifier(event.modifiers)
        key = QKeyEvent(_KINDS[event.kind], event.key, modifiers, event.text, event.is_repeat)
        (self._keys.press if event.kind == "press" else self._keys.release)(key)

    def _follow_display(self, event: StageEvent) -> None:
        """The stage has left a display that is gone, or gone back to one that is there again."""
        self._is_fullscreen = event.kind == "found"
        found = [screen for screen in QGuiApplication.screens() if screen.name() == event.text]
        self._screen = found[0] if found else QGuiApplication.primaryScreen()
        if self._is_fullscreen:
            self._tell(f"the display {event.text} is back, and the output on it")
        else:
            self._tell(f"the display {event.text} is gone; the output is a window now")
            self._panels.bring_up()
        self._show_state()
