"""Lists and tables that leave the keys of the instrument alone: arrows walk, Enter edits, letters play."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QListWidget, QTableWidget

WALKING = frozenset(
    {
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
    }
)
CONFIRMING = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class QuietList(QListWidget):
    """A list to choose from."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk; pass everything else on."""
        if event.key() in WALKING:
            QListWidget.keyPressEvent(self, event)
        else:
            event.ignore()


class QuietTable(QTableWidget):
    """A table of lines; Enter or a double click edits a cell that may be edited."""

    def __init__(self, shares: Mapping[str, int]) -> None:
        """`shares` of the width by column: everything stays in sight, long words are cut and told in bubbles."""
        QTableWidget.__init__(self, 0, len(shares))
        self.setHorizontalHeaderLabels(list(shares))
        self._shares = tuple(shares.values())
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    @property
    def selected_row(self) -> int | None:
        """Index of the selected line."""
        rows = self.selectionModel().selectedRows()
        return rows[0].row() if rows else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width out."""
        QTableWidget.resizeEvent(self, event)
        room = self.viewport().width()
        for column, share in enumerate(self._shares):
            self.setColumnWidth(column, room * share // sum(self._shares))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk and edit; pass everything else on."""
        if event.key() in CONFIRMING and self.currentItem() is not None:
            self.editItem(self.currentItem())
        elif event.key() in WALKING:
            QTableWidget.keyPressEvent(self, event)
        else:
            event.ignore()
