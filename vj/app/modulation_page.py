"""The modulators: a row of slots, and everything about the chosen one.

Widgets come from the parameter table; nothing here knows how a modulator works.
"""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QFrame,
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
from vj.app.fader import Fader
from vj.app.parameter_widgets import ParameterNumber, SwitchButton, heading
from vj.app.rows import row_of
from vj.app.surface import Surface
from vj.modulation.params import MODULATORS, NO_TARGET

SLOTS_IN_ROW = 4


class SlotButton(QPushButton):
    """One modulator in the overview: number, source, target; a line for how far it moves now."""

    def __init__(self, surface: Surface, slot: int) -> None:
        super().__init__(str(slot))
        self.slot = slot
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._is_on = False
        addresses = [f"/vj/mod/{slot}/{name}" for name in ("on", "source", "target")]
        surface.watch(addresses, self._show)

    def _show(self, values: Mapping[str, Value]) -> None:
        slot = self.slot
        target = str(values[f"/vj/mod/{slot}/target"])
        self._is_on = bool(values[f"/vj/mod/{slot}/on"])
        source = str(values[f"/vj/mod/{slot}/source"]).replace("_", " ")
        words = f"{slot}   –" if target == NO_TARGET else f"{slot}   {source}\n{target.removeprefix('/vj/')}"
        self.setText(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Mark a modulator that is on."""
        super().paintEvent(event)
        if self._is_on:
            painter = QPainter(self)
            painter.fillRect(2, 4, 4, self.height() - 8, QColor(theme.MODULATED))
            painter.end()


class ModulatorEditor(QWidget):
    """Everything about one modulator."""

    def __init__(self, surface: Surface, slot: int) -> None:
        super().__init__()
        self.setObjectName("row")

        def at(name: str) -> str:
            return f"/vj/mod/{slot}/{name}"

        def fader(name: str) -> Fader:
            return Fader(surface, at(name))

        def choice(name: str) -> ParameterChoice:
            return ParameterChoice(surface, at(name))

        self.is_on = SwitchButton(surface, at("on"), "ON")
        self.is_on.setObjectName("tall")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for title, rows in (
            (f"Modulator {slot}", [(self.is_on, choice("source")), (choice("target"),)]),
            ("How far", [(fader("depth"), SwitchButton(surface, at("centred"))), (fader("minimum"), fader("maximum"))]),
            ("Beat wave", [(choice("shape"), choice("period"), fader("phase"))]),
            ("Sound", [(fader("attack"), fader("release"))]),
            ("Chance", [(fader("rate"), ParameterNumber(surface, at("seed"), "seed "))]),
            ("Curve", [(choice("curve"),)]),
        ):
            layout.addWidget(heading(title))
            for widgets in rows:
                layout.addLayout(row_of(widgets))
        layout.addStretch(1)


class ModulationPage(QWidget):
    """Overview on the left, the chosen modulator on the right."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self.slots = [SlotButton(surface, slot) for slot in range(1, MODULATORS + 1)]
        self.editors = QStackedWidget()
        overview, editor = QFrame(), QFrame()
        grid = QGridLayout(overview)
        grid.setSpacing(4)
        for k, button in enumerate(self.slots):
            self._group.addButton(button)
            grid.addWidget(button, k // SLOTS_IN_ROW, k % SLOTS_IN_ROW)
            self.editors.addWidget(ModulatorEditor(surface, button.slot))
            button.clicked.connect(lambda _, k=k: self.editors.setCurrentIndex(k))
        self.slots[0].setChecked(True)
        inside = QVBoxLayout(editor)
        inside.setContentsMargins(7, 4, 7, 6)
        inside.addWidget(self.editors)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for frame, stretch in ((overview, 3), (editor, 2)):
            frame.setObjectName("card")
            layout.addWidget(frame, stretch)
