"""How the pictures lie on their displays and what stands in for them: set once for a room, then left alone.

Every parameter of the outputs that the live row does not hold, by subject; what belongs to one output, one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from vj.app.engine_page import widget_for
from vj.app.output_list import OutputList
from vj.app.parameter_widgets import heading
from vj.app.surface import Surface
from vj.output.placing_params import ADDRESS_START, MOST_OUTPUTS, PLACING_PARAMETERS, address_on, placing_parameters
from vj.stage.messages import Placement

# (heading, what the addresses begin with, columns)
SUBJECTS = (
    ("Place", ("fit", "rotation", "mirror/"), 2),
    ("Crop", ("crop/",), 2),
    ("Corner pins", ("pin/",), 4),
    ("Picture", ("brightness", "gamma", "sharpen", "delay"), 2),
    ("Test", ("test_card", "flash_test"), 2),
)
LEFT_SUBJECTS = 3


class OutputPage(QWidget):
    """The outputs and the fallback on the left; beside them what belongs to one output."""

    def __init__(self, surface: Surface, shown_elsewhere: frozenset[str]) -> None:
        """`shown_elsewhere` are the addresses the live row and other pages hold."""
        super().__init__()
        parameters = surface.controls.store.parameters
        own = {parameter.address for parameter in PLACING_PARAMETERS}
        shared = [a for a in parameters if a.startswith(ADDRESS_START) and a not in shown_elsewhere | own]
        self.outputs = OutputList()
        self.numbers = QButtonGroup(self)
        self._stack = QStackedWidget()
        for number in range(1, MOST_OUTPUTS + 1):
            self._stack.addWidget(_placing(surface, number))
        self.numbers.idClicked.connect(lambda number: self._stack.setCurrentIndex(number - 1))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        left, right = QVBoxLayout(), QVBoxLayout()
        for column, share in ((left, 1), (right, 2)):
            column.setSpacing(6)
            layout.addLayout(column, share)
        left.addWidget(self.outputs)
        left.addWidget(_subject(surface, "Level and fallback", shared, 1))
        left.addStretch(1)
        right.addLayout(self._number_row())
        right.addWidget(self._stack, 1)

    def show_places(self, places: Sequence[Placement]) -> None:
        """Show which outputs are open; the settings of one that is closed are out of reach."""
        self.outputs.show_places(places)
        numbers = {place.output for place in places}
        for button in self.numbers.buttons():
            button.setVisible(self.numbers.id(button) in numbers and len(numbers) > 1)
        if self.numbers.checkedId() not in numbers:
            self.numbers.button(1).click()

    def _number_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for number in range(1, MOST_OUTPUTS + 1):
            button = QPushButton(f"Output {number}")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolTip(f"Show what belongs to output {number} below")
            self.numbers.addButton(button, number)
            row.addWidget(button)
        self.numbers.button(1).setChecked(True)
        return row


def _placing(surface: Surface, number: int) -> QWidget:
    """What belongs to one output, in two columns."""
    page = QWidget()
    layout = QHBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    columns = (QVBoxLayout(), QVBoxLayout())
    for column in columns:
        column.setSpacing(6)
        layout.addLayout(column, 1)
    start = ADDRESS_START if number == 1 else address_on(ADDRESS_START, number)
    addresses = [parameter.address for parameter in placing_parameters(number)]
    for place, (title, starts, width) in enumerate(SUBJECTS):
        here = [address for address in addresses if address.removeprefix(start).startswith(starts)]
        columns[place >= LEFT_SUBJECTS].addWidget(_subject(surface, title, here, width))
    for column in columns:
        column.addStretch(1)
    return page


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
