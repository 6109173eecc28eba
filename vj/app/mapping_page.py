"""Mappings: what every control plays, file by file; the OSC address and what is heard there.

Shows the router's active mappings; changes them through learning alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from vj.app import theme
from vj.app.lists import QuietTable
from vj.app.osc_monitor import OscMessages, OscMonitor
from vj.app.parameter_widgets import QuietLabel, heading
from vj.app.problem_board import ProblemBoard
from vj.app.problem_list import ProblemList
from vj.app.status_strip import Ports
from vj.controllers.bindings import Binding, ControllerMapping, mappings_for
from vj.controllers.learn import Learn
from vj.controllers.router import Router

SHARES = {"Device": 4, "Control": 4, "Plays": 6, "How": 5, "File": 5}  # of the width, by column
ROWS_PER_POLL = 20


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    mapping: ControllerMapping
    control: str
    binding: Binding
    is_plugged: bool

    def words(self) -> tuple[str, ...]:
        """What stands in its cells."""
        devices, address = ", ".join(self.mapping.devices), self.binding.parameter.address
        return devices, self.control, address, describe_binding(self.binding), self.mapping.path.stem


class MappingPage(QWidget):
    """A table of bindings, and the OSC monitor beside it."""

    def __init__(
        self,
        router: Router | None,
        learn: Learn | None,
        messages: OscMessages | None,
        problems: ProblemBoard,
        devices: Callable[[], tuple[str, ...]],
    ) -> None:
        """`devices` names the controllers that are plugged in: their lines come first, in green."""
        super().__init__()
        self._devices = devices
        self._router = router
        self._learn = learn
        self._shown: tuple[tuple[ControllerMapping, ...], tuple[str, ...]] = ((), ())
        self._rows: list[Line] = []
        self._written = 0  # rows of the table
        self.table = QuietTable(SHARES)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setAlternatingRowColors(True)
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("The control of the selected line plays this no longer (Ctrl+Z takes it back)")
        self.undo = QPushButton("Undo  Ctrl+Z")
        self.undo.setToolTip("Take back the last change that learning made")
        for button, action in ((self.remove, self._remove), (self.undo, self._undo)):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(action)
        self.hint = QuietLabel("note", "M, click a widget, move a control: mapped.")
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.monitor = OscMonitor(messages)
        self.problems = ProblemList(problems)
        card = QFrame()
        card.setObjectName("card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(7, 4, 7, 6)
        inside.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(heading("Mappings"))
        top.addWidget(self.hint, 1)
        top.addWidget(self.remove)
        top.addWidget(self.undo)
        inside.addLayout(top)
        inside.addWidget(self.table, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(card, 3)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.monitor, 3)
        right.addWidget(self.problems, 2)
        layout.addLayout(right, 2)

    def refresh(self, ports: Ports) -> None:
        """Show what has changed."""
        self.monitor.refresh(ports)
        self.problems.refresh()
        if self._router is not None and (self._router.mappings, self._devices()) != self._shown:
            self._shown = self._router.mappings, self._devices()
            self._list(*self._shown)
        self._write_rows()
        if self._learn is not None:
            self.undo.setEnabled(self._learn.state.undo_steps > 0)
        self.remove.setEnabled(self._learn is not None and self.table.selected_row is not None)

    def _list(self, mappings: tuple[ControllerMapping, ...], devices: tuple[str, ...]) -> None:
        """Begin to list anew; the rows are written some at each poll, so that no poll takes long."""
        plugged = {id(mapping) for device in devices for mapping in mappings_for(device, mappings)}
        ordered = sorted(mappings, key=lambda mapping: id(mapping) not in plugged)
        self._rows = [
            Line(mapping, control, binding, id(mapping) in plugged)
            for mapping in ordered
            for control, bindings in mapping.controls.items()
            for binding in bindings
        ]
        self.table.setRowCount(len(self._rows))
        self._written = 0

    def _write_rows(self) -> None:
        end = min(self._written + ROWS_PER_POLL, len(self._rows))
        for row in range(self._written, end):
            line = self._rows[row]
            for column, word in enumerate(line.words()):
                item = QTableWidgetItem(word)
                item.setForeground(QColor(theme.GOOD if line.is_plugged else theme.TEXT))
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                item.setToolTip(word)
                self.table.setItem(row, column, item)
        self._written = end

    def _remove(self) -> None:
        row = self.table.selected_row
        if row is None or self._learn is None:
            return
        line = self._rows[row]
        for assignment in self._learn.assignments(line.binding.parameter.address):
            if assignment.control == line.control and assignment.file == line.mapping.path:
                self._learn.remove(assignment)
                self.hint.show_fitting(self._learn.state.said)
                return

    def _undo(self) -> None:
        if self._learn is not None:
            self._learn.undo()
            self.hint.show_fitting(self._learn.state.said)


def describe_binding(binding: Binding) -> str:
    """Say in a few words how a control plays its parameter."""
    words = []
    if binding.is_command:
        words.append("press")
    elif binding.value is not None:
        words.append(f"sets {binding.value}")
    elif binding.relative:
        words.append("encoder")
    elif binding.parameter.kind == "switch":
        words.append(binding.mode)
    else:
        words.append(binding.takeover)
    if binding.is_inverted:
        words.append("inverted")
    travel, parameter = binding.travel, binding.parameter
    if (travel.minimum, travel.maximum) != (parameter.minimum, parameter.maximum):
        words.append(f"{travel.minimum:g} to {travel.maximum:g}")
    return ", ".join(words)
