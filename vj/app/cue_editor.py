"""The cue list as a table to edit: names, looks, fades, follow times, cuts. What played and what is next is marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
)

from vj.app import theme
from vj.app.addressed import SOURCE
from vj.app.durations import read_duration, write_duration
from vj.app.lists import QuietTable
from vj.app.parameter_widgets import heading
from vj.controls import Controls
from vj.presets.cue_list import CUTS, CueList, ListedCue
from vj.presets.looks import look_from
from vj.presets.params import NEXT_CUE_ADDRESS

SHARES = {"": 3, "Name": 5, "Look": 6, "Fade": 4, "Follow": 4, "Cut": 3, "Note": 6}  # of the width, by column
NAME, LOOK, FADE, FOLLOW, CUT, NOTE = range(1, len(SHARES))
FIXED = (0, LOOK)  # columns that are not typed into


class CueEditor(QFrame):
    """Belongs to the GUI thread. `say` takes sentences for the performer."""

    def __init__(self, controls: Controls, cues: CueList, say: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._controls = controls
        self._cues = cues
        self._say = say
        self._shown: tuple[int, int, int] | None = None  # version of the list, current, next
        self.table = QuietTable(SHARES)
        self.table.itemChanged.connect(self._rewrite)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        self.buttons = {}
        for words, help_text, action in (
            ("Add what plays", "A cue of everything as it is now, after the selected one", self._add_playing),
            ("Up", "Move the selected cue up", lambda: self._move(-1)),
            ("Down", "Move the selected cue down", lambda: self._move(1)),
            ("Stand by", "CUE GO plays the selected cue next", self._stand_by),
            ("Remove", "Take the selected cue out", self._remove),
        ):
            button = QPushButton(words)
            button.setToolTip(help_text)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(action)
            buttons.addWidget(button)
            self.buttons[words] = button
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        layout.addWidget(heading("Cue list"))
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)

    def refresh(self) -> None:
        """Show the list again when it has changed or was played."""
        status = self._cues.status
        state = (self._cues.version, status.current, status.next)
        if state != self._shown and self.table.state() != QAbstractItemView.State.EditingState:
            self._shown = state
            self._list(status.current, status.next)

    def add_look(self, name: str, title: str) -> None:
        """Put a cue that calls up a look after the selected one."""
        self._insert(ListedCue(title, look=name))

    @property
    def selected(self) -> int:
        """Number of the selected cue, 1..; 0 = none."""
        row = self.table.selected_row
        return 0 if row is None else row + 1

    def _list(self, current: int, following: int) -> None:
        selected = self.selected
        was_blocked = self.table.blockSignals(True)
        cues = self._cues.cues
        self.table.setRowCount(len(cues))
        for row, cue in enumerate(cues):
            number = row + 1
            mark = "▶ now" if number == current else "next" if number == following else str(number)
            colour = theme.GOOD if number == current else theme.WARNING if number == following else theme.TEXT
            words = (mark, cue.name, cue.look, write_duration(cue.fade), write_duration(cue.follow), cue.cut, cue.note)
            for column, word in enumerate(words):
                item = QTableWidgetItem(word)
                item.setToolTip(word)
                item.setForeground(QColor(colour))
                if column in FIXED:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                self.table.setItem(row, column, item)
        if selected:
            self.table.selectRow(selected - 1)
        self.table.blockSignals(was_blocked)

    def _rewrite(self, item: QTableWidgetItem) -> None:
        number, word = item.row() + 1, item.text().strip()
        cue = self._cues.cues[number - 1]
        try:
            self._cues.rewrite(number, _changed(cue, item.column(), word))
        except ValueError as error:
            self._say(str(error))
        self._shown = None

    def _insert(self, cue: ListedCue) -> None:
        place = self.selected or len(self._cues.cues)
        try:
            self._cues.insert(place + 1, cue)
        except ValueError as error:
            self._say(str(error))
            return
        self.refresh()
        self.table.selectRow(place)

    def _add_playing(self) -> None:
        values = look_from(self._controls.store.snapshot(), "").values
        self._insert(ListedCue(f"Cue {len(self._cues.cues) + 1}", values=values))

    def _move(self, by: int) -> None:
        number = self.selected
        if number and 1 <= number + by <= len(self._cues.cues):
            self._cues.move(number, number + by)
            self.refresh()
            self.table.selectRow(number + by - 1)

    def _stand_by(self) -> None:
        if self.selected:
            self._controls.set(NEXT_CUE_ADDRESS, self.selected, SOURCE)

    def _remove(self) -> None:
        if self.selected:
            self._cues.remove(self.selected)
            self.refresh()


def _changed(cue: ListedCue, column: int, word: str) -> ListedCue:
    """The cue with one cell written anew. Raises ValueError with a sentence."""
    if column == FADE:
        return replace(cue, fade=read_duration(word))
    if column == FOLLOW:
        return replace(cue, follow=read_duration(word))
    if column == CUT:
        if word and word not in CUTS:
            raise ValueError(f"{word!r} is no cut: write {' or '.join(CUTS)}, or nothing")
        return replace(cue, cut=word)
    return replace(cue, note=word) if column == NOTE else replace(cue, name=word)
