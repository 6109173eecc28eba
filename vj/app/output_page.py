"""How the picture lies on its display and what stands in for it: set once for a room, then left alone.

Every parameter of the output that the live row does not hold, by subject.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vj.app.engine_page import widget_for
from vj.app.parameter_widgets import heading
from vj.app.surface import Surface

ADDRESS_START = "/vj/output/"
# (heading, what the addresses begin with, columns); the first that fits takes an address, the rest go to the last
SUBJECTS = (
    ("Place", ("fit", "rotation", "mirror/"), 2),
    ("Crop", ("crop/",), 2),
    ("Corner pins", ("pin/",), 4),
    ("Picture", ("brightness", "gamma", "sharpen", "delay"), 2),
    ("Test", ("test_card", "flash_test"), 2),
    ("Level and fallback", ("",), 2),
)
LEFT_SUBJECTS = 3


class OutputPage(QWidget):
    """Geometry on the left; picture, tests and fallback on the right."""

    def __init__(self, surface: Surface, shown_elsewhere: frozenset[str]) -> None:
        """`shown_elsewhere` are the addresses the live row and other pages hold."""
        super().__init__()
        parameters = surface.controls.store.parameters
        rest = [a for a in parameters if a.startswith(ADDRESS_START) and a not in shown_elsewhere]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        columns = (QVBoxLayout(), QVBoxLayout())
        for column in columns:
            column.setSpacing(6)
            layout.addLayout(column, 1)
        for number, (title, starts, width) in enumerate(SUBJECTS):
            here = [a for a in rest if a.removeprefix(ADDRESS_START).startswith(starts)]
            rest = [a for a in rest if a not in here]
            if here:
                columns[number >= LEFT_SUBJECTS].addWidget(_subject(surface, title, here, width))
        for column in columns:
            column.addStretch(1)


def _subject(surface: Surface, title: str, addresses: Sequence[str], columns: int) -> QFrame:
    card = QFrame()
    card.setObjectName("card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(7, 4, 7, 6)
    layout.setSpacing(4)
    layout.addWidget(heading(title))
    grid = QGridLayout()
    grid.setSpacing(4)
    for k, address in enumerate(addresses):
        grid.addWidget(widget_for(surface, address), k // columns, k % columns)
    layout.addLayout(grid)
    return card
