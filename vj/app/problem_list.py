"""Everything that went wrong since the start, newest first: mappings, files, engine, controllers."""

from __future__ import annotations

from PyQt6.QtWidgets import QFrame, QVBoxLayout

from vj.app.lists import QuietList
from vj.app.parameter_widgets import heading
from vj.app.problem_board import ProblemBoard


class ProblemList(QFrame):
    """Sentences with the time they came."""

    def __init__(self, problems: ProblemBoard) -> None:
        super().__init__()
        self.setObjectName("card")
        self._problems = problems
        self._shown = -1
        self.lines = QuietList()
        self.lines.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        layout.addWidget(heading("Problems"))
        layout.addWidget(self.lines, 1)

    def refresh(self) -> None:
        """Show what is new."""
        if self._problems.count != self._shown:
            self._shown = self._problems.count
            self.lines.clear()
            self.lines.addItems(list(self._problems.recent) or ["none"])
