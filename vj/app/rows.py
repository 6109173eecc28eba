"""How widgets stand in a card: rows under a title, side by side in a row. Knows no parameter."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from vj.app.parameter_widgets import heading

GAP = 4


def fill(frame: QFrame, title: str, rows: Sequence[Sequence[QWidget]]) -> QVBoxLayout:
    """Lay out a card: a title, and rows in which widgets share the width."""
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(7, 4, 7, 6)
    layout.setSpacing(GAP)
    if title:
        layout.addWidget(heading(title))
    for widgets in rows:
        layout.addLayout(row_of(widgets), 1)
    return layout


def row_of(widgets: Sequence[QWidget]) -> QLayout:
    """Widgets side by side."""
    row = QHBoxLayout()
    row.setSpacing(GAP)
    for widget in widgets:
        row.addWidget(widget, 1)
    return row
