"""What a show has prepared: the cue list, all looks at hand, timelines and saved shows.

Reads the repertoire and hands wishes back to it; touches no file itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from vj.app.cue_editor import CueEditor
from vj.app.lists import QuietList
from vj.app.parameter_widgets import heading
from vj.controls import Controls
from vj.presets.params import LOOK_SLOTS
from vj.presets.repertoire import Repertoire
from vj.shipped_files import TIMELINES


class ShowPage(QWidget):
    """Three columns: cues, looks, timelines and shows."""

    def __init__(self, controls: Controls, repertoire: Repertoire | None, say: Callable[[str], None]) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._repertoire = repertoire
        self._say = say
        self._version: int | None = None
        self._was_visible = False
        self._shows: tuple[Path, ...] = ()
        if repertoire is None:
            layout.addWidget(QLabel("no show"))
            return
        self.cues = CueEditor(controls, repertoire.cues, say)
        self.looks, self.timelines, self.shows = QuietList(), QuietList(), QuietList()
        layout.addWidget(self.cues, 5)
        buttons = [
            _button("Add as cue", "After the selected cue", self._add_cue),
            _button("To a free slot", "Put the selected look into the first empty slot", self._to_slot),
        ]
        layout.addWidget(_listed("Looks", self.looks, buttons), 3)
        right = QVBoxLayout()
        right.setSpacing(6)
        load = [_button("Load", "The timeline stands at its beginning; ▶ plays it", self._load_timeline)]
        shows = [_button("Load show", "Everything goes to where that show was saved", self._load_show)]
        right.addWidget(_listed("Timelines", self.timelines, load), 1)
        right.addWidget(_listed("Shows", self.shows, shows), 1)
        layout.addLayout(right, 3)

    def refresh(self) -> None:
        """Show what has changed; files are looked at when the page is opened."""
        if self._repertoire is None:
            return
        self.cues.refresh()
        if self._repertoire.shelf.version != self._version:
            self._version = self._repertoire.shelf.version
            _fill(self.looks, list(self._repertoire.shelf.looks))
        is_opened = self.isVisible() and not self._was_visible
        self._was_visible = self.isVisible()
        if is_opened:
            _fill(self.timelines, list(self._repertoire.library.list_files(TIMELINES)))
            self._shows = self._repertoire.shows()
            _fill(self.shows, [folder.name for folder in self._shows])

    def hideEvent(self, event: object) -> None:
        """Look at the files again next time."""
        self._was_visible = False

    def _add_cue(self) -> None:
        name = _chosen(self.looks)
        if name and self._repertoire is not None:
            self.cues.add_look(name, self._repertoire.shelf.look(name).name)

    def _to_slot(self) -> None:
        name = _chosen(self.looks)
        if not name or self._repertoire is None:
            return
        slots = self._repertoire.shelf.slots
        if "" not in slots:
            self._say(f"all {LOOK_SLOTS} slots hold a look; Shift+click on one saves over it")
            return
        slot = slots.index("") + 1
        self._repertoire.shelf.assign(slot, name)
        self._say(f"look {name} is in slot {slot}")

    def _load_timeline(self) -> None:
        name = _chosen(self.timelines)
        if name and self._repertoire is not None:
            self._repertoire.open_timeline(name)

    def _load_show(self) -> None:
        row = self.shows.currentRow()
        if self._repertoire is not None and 0 <= row < len(self._shows):
            self._repertoire.load_show(self._shows[row])


def _button(words: str, help_text: str, action: Callable[[], None]) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(help_text)
    button.clicked.connect(action)
    return button


def _listed(title: str, items: QuietList, buttons: Sequence[QPushButton]) -> QFrame:
    card = QFrame()
    card.setObjectName("card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(7, 4, 7, 6)
    layout.setSpacing(4)
    layout.addWidget(heading(title))
    layout.addWidget(items, 1)
    row = QHBoxLayout()
    row.setSpacing(4)
    for button in buttons:
        row.addWidget(button)
    layout.addLayout(row)
    return card


def _fill(items: QuietList, names: Sequence[str]) -> None:
    chosen = _chosen(items)
    items.clear()
    items.addItems(list(names))
    if chosen in names:
        items.setCurrentRow(names.index(chosen))


def _chosen(items: QuietList) -> str:
    item = items.currentItem()
    return item.text() if item is not None else ""
