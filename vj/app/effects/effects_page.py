"""Every effect in a row of its own: how much of it is seen and where it stands; beside them the one that is looked at.

Widgets come from the parameter table; nothing here knows what an effect does.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.parameter import Value
from vj.app import theme
from vj.app.choices import ParameterChoice
from vj.app.effects.effect_editor import EffectEditor
from vj.app.fader import Fader
from vj.app.parameter_widgets import ParameterNumber, card
from vj.app.surface import Surface
from vj.effects.notes import EffectNote
from vj.effects.params import CHAIN_NAMES, CROSSFADE_ADDRESS, mix_address, place_address

COLUMNS = 2
PLACE_WIDTH = 44
EDGE_WIDTH = 5


class EffectName(QPushButton):
    """Chooses an effect to look at; its edge is lit while the effect is on, and another colour while it is at fault."""

    def __init__(self, surface: Surface, name: str) -> None:
        super().__init__(name.replace("_", " ").replace("/", " "))
        self.setCheckable(True)
        self.setObjectName("small")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setToolTip("Show what this effect is made of")
        self._is_on, self._is_at_fault = False, False
        surface.follow(mix_address(name), self._show_mix)

    def show_fault(self, is_at_fault: bool) -> None:
        """Mark a file that could not be taken."""
        if is_at_fault != self._is_at_fault:
            self._is_at_fault = is_at_fault
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button and its edge."""
        super().paintEvent(event)
        if self._is_on or self._is_at_fault:
            painter = QPainter(self)
            painter.fillRect(0, 0, EDGE_WIDTH, self.height(), QColor(theme.ALARM if self._is_at_fault else theme.GOOD))
            painter.end()

    def _show_mix(self, value: Value) -> None:
        self._is_on = float(value) > 0.0
        self.update()


class EffectsPage(QWidget):
    """The chain on the left, one effect on the right. Belongs to the GUI thread."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self.names = {name: EffectName(surface, name) for name in CHAIN_NAMES}
        self.editors = {name: EffectEditor(surface, name) for name in CHAIN_NAMES}
        self._stack = QStackedWidget()
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        rows = -(-len(CHAIN_NAMES) // COLUMNS)
        for k, (name, button) in enumerate(self.names.items()):
            row, left = k % rows, 3 * (k // rows)
            self._group.addButton(button, k)
            self._stack.addWidget(self.editors[name])
            place = ParameterNumber(surface, place_address(name))
            place.setFixedWidth(PLACE_WIDTH)
            grid.addWidget(button, row, left)
            grid.addWidget(Fader(surface, mix_address(name), "mix"), row, left + 1)
            grid.addWidget(place, row, left + 2)
            grid.setColumnStretch(left + 1, 1)
        self._group.idClicked.connect(self._stack.setCurrentIndex)
        self._group.button(0).setChecked(True)
        chain, column = card("Effects: how much, and at which place of the chain")
        column.addLayout(grid)
        column.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(self._stack, 1)
        fade, column = card("From deck to deck")
        column.addWidget(ParameterChoice(surface, CROSSFADE_ADDRESS))
        right.addWidget(fade)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(chain, 5)
        layout.addLayout(right, 4)

    def show_notes(self, notes: Sequence[EffectNote]) -> None:
        """Show what the output says of the files."""
        told = {note.name: note for note in notes}
        for name, editor in self.editors.items():
            note = told.get(name, EffectNote(name))
            editor.show_note(note)
            self.names[name].show_fault(bool(note.problem))
