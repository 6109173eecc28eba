"""Where the outputs are shown, and what happens on them: between the stage and the panels' window.

Belongs to the GUI thread; knows nothing of how the stage runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent

from vj.app.key_player import KeyPlayer
from vj.app.main_window import MainWindow
from vj.app.output_places import cover_of, screen_named, window_on
from vj.app.theme import DESIGN_SIZE
from vj.output.placing_params import MOST_OUTPUTS
from vj.presets.repertoire import Repertoire
from vj.stage.link import StageLink
from vj.stage.messages import Placement, StageEvent

BEAT_MS = 200
PANELS_SHOWN_MS = 100
_KINDS = {"press": QEvent.Type.KeyPress, "release": QEvent.Type.KeyRelease}


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
        self._places = {1: window_on(QGuiApplication.primaryScreen())}  # where each open output is to be
        self._lost: set[int] = set()  # outputs whose display is not there
        self._are_panels_up = False  # over an output that covers their display
        self.heard.connect(self._answer)
        panels.output_asked.connect(self._raise_output)
        panels.live.output.fullscreen_asked.connect(lambda display, is_on: self._ask(1, display, is_on))
        outputs = panels.placing.outputs
        outputs.place_asked.connect(self._ask)
        outputs.open_asked.connect(self._open_another)
        outputs.close_asked.connect(self._close)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)

    def start(self, places: Sequence[Placement]) -> None:
        """Begin with outputs that have been ordered to their places."""
        self._places = {place.output: place for place in places}
        self._lost = {n for n, place in self._places.items() if place.is_fullscreen and not screen_named(place.display)}
        self._timer.start(BEAT_MS)
        self._show_state()
        QTimer.singleShot(PANELS_SHOWN_MS, self._place_again)  # above the panels, whichever was shown first

    def stop(self) -> None:
        """Say no more that the panels are alive."""
        self._timer.stop()

    def place_panels(self, places: Sequence[Placement]) -> None:
        """Find the panels a place that the outputs leave free."""
        screens = list(dict.fromkeys([QGuiApplication.primaryScreen(), *QGuiApplication.screens()]))
        covered = [place.display for place in places if place.is_fullscreen]
        shown_on = {place.display for place in places}
        place = next((screen for screen in screens if screen.name() not in covered), screens[0])
        free = place.availableGeometry()
        # a display of their own is theirs; one they share with an output leaves it a corner
        has_own = place.name() not in shown_on
        self._panels.resize(free.size() if has_own else QSize(*DESIGN_SIZE).boundedTo(free.size()))
        if has_own:
            self._panels.setWindowState(Qt.WindowState.WindowMaximized)
        self._panels.move(free.topLeft())  # unlike setGeometry, leaves room for a window manager's title bar

    # -- what the panels ask for -------------------------------------------------------------------------------------

    def _beat(self) -> None:
        self._link.beat()
        state = self._link.state
        self._panels.placing.outputs.show_facts(state.outputs, (*state.warnings, *state.notes))

    def _ask(self, number: int, display: int, is_fullscreen: bool) -> None:
        """Cover a display with an output, or make it a window there."""
        screens = QGuiApplication.screens()
        screen = screens[min(max(display, 0), len(screens) - 1)]
        was_fullscreen = self._places[number].is_fullscreen
        if is_fullscreen:
            self._place(cover_of(screen, number))
        elif was_fullscreen or number > 1:
            self._place(window_on(screen, number))
        if was_fullscreen and not is_fullscreen and not self._is_cover:
            self._panels.bring_up()
        self._show_state()

    def _open_another(self) -> None:
        number = next((n for n in range(1, MOST_OUTPUTS + 1) if n not in self._places), 0)
        if not number:
            return
        taken = {self._panels.screen().name(), *(place.display for place in self._places.values())}
        free = [screen for screen in QGuiApplication.screens() if screen.name() not in taken]
        self._place(cover_of(free[0], number) if free else window_on(QGuiApplication.primaryScreen(), number))
        self._show_state()

    def _close(self, number: int) -> None:
        self._places.pop(number, None)
        self._lost.discard(number)
        self._link.close_output(number)
        self._show_state()

    def _place(self, place: Placement) -> None:
        self._places[place.output] = place
        self._lost.discard(place.output)
        self._are_panels_up = False
        self._link.place(place)

    def _place_again(self) -> None:
        for place in self._places.values():
            self._link.place(place)

    def _raise_output(self) -> None:
        """Bring back what covers the panels' display."""
        for place in self._places.values():
            if place.is_fullscreen and place.output not in self._lost:
                self._place(place)

    @property
    def _is_cover(self) -> bool:
        """Whether any output covers the panels' own display."""
        name = self._panels.screen().name()
        return any(p.is_fullscreen and p.display == name and n not in self._lost for n, p in self._places.items())

    def _show_state(self) -> None:
        self._repertoire.outputs = {
            number: place.display if place.is_fullscreen else "" for number, place in sorted(self._places.items())
        }
        # a window manager that knows only focus would hide the output behind the panels again
        self._panels.show_cover(self._is_cover)
        names = [screen.name() for screen in QGuiApplication.screens()]
        first = self._places[1]
        number = names.index(first.display) if first.display in names else -1
        self._panels.live.output.show_output(number, first.is_fullscreen and 1 not in self._lost)
        self._panels.placing.show_places(tuple(self._places.values()))

    # -- what happens on the output --------------------------------------------------------------------------------

    def _answer(self, event: StageEvent) -> None:
        if event.kind == "close":
            self._panels.bring_up()
            self._panels.say("The output closes only with the show: press End show here.")
        elif event.kind in ("lost", "found"):
            self._follow_display(event)
        elif event.key == Qt.Key.Key_Tab.value:
            if event.kind == "press":  # its release comes here too when the panels' own Tab has raised the output
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
        self._are_panels_up = self._is_cover

    def _play(self, event: StageEvent) -> None:
        modifiers = Qt.KeyboardModifier(event.modifiers)
        key = QKeyEvent(_KINDS[event.kind], event.key, modifiers, event.text, event.is_repeat)
        (self._keys.press if event.kind == "press" else self._keys.release)(key)

    def _follow_display(self, event: StageEvent) -> None:
        """The stage has left a display that is gone, or gone back to one that is there again."""
        is_first = event.output == 1
        of = "" if is_first else f" {event.output}"
        if event.kind == "found":
            self._lost.discard(event.output)
            self._tell(f"the display {event.text} is back, and the output{of} on it")
        else:
            self._lost.add(event.output)
            became = "is a window now" if is_first else "waits for it"
            self._tell(f"the display {event.text} is gone; the output{of} {became}")
            if is_first:  # the others may still cover the panels' display, for all to see
                self._panels.bring_up()
        self._show_state()
