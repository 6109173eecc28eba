"""Every key and what it does, over the panels until the next key or click."""

from __future__ import annotations

import itertools
import re

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QGridLayout, QLabel, QWidget

from vj.app import theme
from vj.controllers.events import KEYBOARD
from vj.controllers.router import Router

OWN_KEYS = (
    ("Ctrl+1 to 9, 0", "pages"),
    ("Ctrl+E", "performance mode: no editing"),
    ("M", "map mode: click a widget, move a control"),
    ("B", "blackout"),
    ("Ctrl+S", "save the show"),
    ("Ctrl+Z", "undo the last mapping"),
    ("Tab", "next field; or the output above the panels"),
    ("Enter  Esc", "send a text; give it up"),
    ("Ctrl+click", "copy a widget's OSC address"),
    ("right click", "a widget's menu"),
    ("Shift+drag", "move a fader finely"),
    ("double click", "a fader's default"),
    ("Shift+click", "save into a look slot"),
    ("Ctrl+Q twice", "end the show"),
)
COLUMNS = 3
GAP = 20
MOST_LINES = 45
GROUND_ALPHA = 250


class KeyList(QWidget):
    """A sheet over the window."""

    def __init__(self, window: QWidget, router: Router | None) -> None:
        super().__init__(window)
        self._router = router
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(40, 30, 40, 30)
        self._grid.setSpacing(4)
        self._grid.setHorizontalSpacing(GAP)
        self.hide()

    def toggle(self) -> None:
        """Show the keys as they are mapped now, or hide them."""
        if self.isVisible():
            self.hide()
            return
        self._list()
        self.cover(self.parentWidget().rect())
        self.show()
        self.raise_()

    def cover(self, place: QRect) -> None:
        """Lie over the whole window."""
        self.setGeometry(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go away at a click."""
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Darken what lies below."""
        painter = QPainter(self)
        ground = QColor(theme.BACKGROUND)
        ground.setAlpha(GROUND_ALPHA)
        painter.fillRect(self.rect(), ground)
        painter.end()

    def _list(self) -> None:
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        lines = [*OWN_KEYS, *self._mapped()][:MOST_LINES]
        rows = -(-len(lines) // COLUMNS)
        for k, (key, words) in enumerate(lines):
            column, row = divmod(k, rows)
            for place, text, colour in ((0, key, theme.ACCENT), (1, words, theme.TEXT)):
                label = QLabel(text)
                label.setStyleSheet(f"background: transparent; color: {colour};")
                label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
                self._grid.addWidget(label, row, 2 * column + place)

    def _mapped(self) -> list[tuple[str, str]]:
        """Keys that mapping files give something to do; keys in a row that count through slots are one line."""
        found: dict[str, str] = {}
        for mapping in self._router.mappings if self._router is not None else ():
            if not mapping.names(KEYBOARD):
                continue
            for control, bindings in mapping.controls.items():
                words = ", ".join(binding.parameter.address.removeprefix("/vj/") for binding in bindings)
                found[control.removeprefix("key/")] = words
        lines = []
        for pattern, keys in itertools.groupby(found, key=lambda key: re.sub(r"\d+", "…", found[key])):
            row = list(keys)
            lines.append((row[0], found[row[0]]) if len(row) == 1 else (f"{row[0]} to {row[-1]}", pattern))
        return lines
