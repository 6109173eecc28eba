"""Map mode: every widget that can be mapped lights up; click one, move a control, done.

A sheet over the window that is there only where such widgets are; everything else stays in reach below it.
"""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPoint, QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QRegion
from PyQt6.QtWidgets import QWidget

from vj.app import theme
from vj.app.surface import Surface
from vj.controllers.bindings import ControllerMapping, mappings_for
from vj.controllers.events import KEYBOARD
from vj.controllers.learn import Learn, LearnState
from vj.controllers.router import Router

SHADE_ALPHA = 70
SELECTED_ALPHA = 170
DOT = 8  # the mark of a mapped widget too small for the name of its control
HINT = "MAP: click a widget, then move a control. M or Esc ends it."


class MapMode(QWidget):
    """The sheet, and the dialogue with learning. `learn` None = addresses can be copied, nothing can be mapped."""

    changed = pyqtSignal(bool)
    said = pyqtSignal(str)

    def __init__(
        self,
        window: QWidget,
        surface: Surface,
        learn: Learn | None,
        router: Router | None,
        devices: Callable[[], tuple[str, ...]],
    ) -> None:
        """`devices` names the controllers that are plugged in: only their controls are written on the widgets."""
        super().__init__(window)
        self._router = router
        self._devices = devices
        self._playing_of: tuple[tuple[ControllerMapping, ...], tuple[str, ...]] | None = None
        self._playing: dict[str, str] = {}  # address -> the controls that play it
        self._window = window
        self._surface = surface
        self._learn = learn
        self._places: list[tuple[QRect, str, str]] = []  # place, address, what plays it
        self._shown: LearnState | None = None
        self.selected = ""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    def toggle(self) -> None:
        """Begin or end map mode."""
        if self.isVisible():
            self.leave()
        else:
            self.enter()

    def enter(self, address: str = "") -> None:
        """Light up what can be mapped; choose an address at once if one is given."""
        self.show()
        self.raise_()
        self.cover(self._window.rect())
        self.changed.emit(True)
        self.said.emit(HINT if self._learn is not None else "MAP: no controllers can be learned here")
        if address:
            self.select(address)

    def leave(self) -> None:
        """End map mode; controls play again."""
        if self._learn is not None and self.selected:
            self._learn.cancel()
        self.selected = ""
        if self.isVisible():
            self.hide()
            self.changed.emit(False)

    def select(self, address: str) -> None:
        """Let the next control that moves play this address."""
        self.selected = address
        self.update()
        if self._learn is not None:
            self._learn.begin(address)
            self.said.emit(f"MAP {address}: move a control")

    def refresh(self) -> None:
        """Show what learning has heard. Polled by the window."""
        if self._learn is None or not self.isVisible():
            return
        self._find_places()
        state = self._learn.poll()
        if state == self._shown:
            return
        self._shown = state
        if state.proposal is not None and state.proposal.conflicts:
            self.said.emit(f"{state.proposal.sentence}: Enter takes it, Shift+Enter plays both, Esc leaves it")
        elif state.proposal is not None:
            self.said.emit(state.proposal.sentence)
        elif state.said:
            self.said.emit(state.said)
            self.selected = state.address
        self.update()

    def answer_conflict(self, keep: bool) -> bool:
        """Accept a proposal that takes a control away from others; False when there is none."""
        if self._learn is None or not self.isVisible() or self._learn.state.proposal is None:
            return False
        self._learn.accept(keep_conflicts=keep)
        return True

    def cover(self, place: QRect) -> None:
        """Lie over the whole window."""
        self.setGeometry(place)
        if self.isVisible():
            self._find_places()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the widget under the pointer."""
        address = self.address_at(event.position().toPoint())
        if not address:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._surface.copy_address(address)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.select(address)

    def address_at(self, point: QPoint) -> str:
        """The address a widget under this point stands for; empty = none."""
        return next((address for place, address, _ in self._places if place.contains(point)), "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Frame every widget that can be mapped, fill what is chosen, name what plays it."""
        painter = QPainter(self)
        for place, address, plays in self._places:
            ground = QColor(theme.MAPPED)
            ground.setAlpha(SELECTED_ALPHA if address == self.selected else SHADE_ALPHA)
            painter.fillRect(place, ground)
            painter.setPen(QPen(QColor(theme.MAPPED), 3 if address == self.selected else 1))
            painter.drawRect(QRectF(place).adjusted(0.5, 0.5, -1.5, -1.5))
            if plays:
                self._draw_name(painter, place, plays)
        painter.end()

    def _draw_name(self, painter: QPainter, place: QRect, plays: str) -> None:
        metrics = painter.fontMetrics()
        words = plays.replace("key/", "")
        width = metrics.horizontalAdvance(words) + 4
        if width > place.width():
            words, width = "", DOT
        height = metrics.height() if words else DOT
        label = QRect(place.right() - width, place.bottom() - height, width, height)
        painter.fillRect(label, QColor(theme.MAPPED))
        painter.setPen(QColor(theme.ON_COLOUR))
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, words)

    def _find_places(self) -> None:
        """Where the widgets are now: a page may have been turned."""
        self._find_playing()
        places = []
        for widget, address in self._surface.widgets.items():
            if widget.isVisible():
                corner = widget.mapTo(self._window, QPoint(0, 0))
                places.append((QRect(corner, widget.size()), address, self._playing.get(address, "")))
        if places == self._places:
            return
        self._places = places
        region = QRegion()
        for place, _, _ in places:
            region += QRegion(place)
        self.setMask(region)
        self.update()

    def _find_playing(self) -> None:
        """What plays each address, when the mappings have changed."""
        mappings, devices = self._router.mappings if self._router is not None else (), self._devices()
        if (mappings, devices) == self._playing_of:
            return
        self._playing_of = mappings, devices
        found: dict[str, list[str]] = {}
        played = [mapping for device in (*devices, KEYBOARD) for mapping in mappings_for(device, mappings)]
        for mapping in played:
            for control, bindings in mapping.controls.items():
                for binding in bindings:
                    found.setdefault(binding.parameter.address, []).append(control)
        self._playing = {address: ", ".join(dict.fromkeys(controls)) for address, controls in found.items()}
