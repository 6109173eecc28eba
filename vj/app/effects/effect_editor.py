"""Everything about one effect: its inputs by widgets that suit them; of a user's slot its file and eight knobs."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.parameter import Value
from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, tooltip
from vj.app.choices import NameChoice
from vj.app.engine_page import widget_for
from vj.app.fader import Fader
from vj.app.parameter_widgets import QuietLabel, card
from vj.app.surface import Surface
from vj.app.video_in.source_choice import FileButton
from vj.effects.notes import EffectNote
from vj.effects.params import KNOBS, SLOT_NAMES, file_address, knob_address, shipped_parameters
from vj.effects.shipped import SHIPPED
from vj.shipped_files import EFFECTS, Library

COLUMNS = 2
NO_FILE = "no file"
FILE_FILTER = "Effects in ISF form (*.fs *.frag);;All files (*)"


class EffectEditor(QWidget):
    """One effect. Belongs to the GUI thread."""

    def __init__(self, surface: Surface, name: str) -> None:
        super().__init__()
        self.setObjectName("row")
        words = SHIPPED[name].description if name in SHIPPED else "A file of your own in ISF form: docs/effects.md."
        title = name.replace("_", " ").replace("user/", "user effect ")
        frame, column = card(title.capitalize())
        self.words = QuietLabel("note", words)
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        self.knobs: list[Fader] = []
        if name in SLOT_NAMES:
            slot = SLOT_NAMES.index(name) + 1
            column.addLayout(_file_row(surface, slot))
            self.knobs = [Fader(surface, knob_address(slot, k), f"knob {k}") for k in range(1, KNOBS + 1)]
            widgets: Sequence[QWidget] = self.knobs
        else:
            widgets = [
                widget_for(surface, parameter.address, parameter.address.split("/", 4)[-1].replace("_", " "))
                for parameter in shipped_parameters(name)[1:-1]
            ]
        grid = QGridLayout()
        grid.setSpacing(4)
        for k, widget in enumerate(widgets):
            grid.addWidget(widget, k // COLUMNS, k % COLUMNS)
        for k in range(COLUMNS):
            grid.setColumnStretch(k, 1)
        column.addLayout(grid)
        self.problem = QuietLabel("note")
        self.problem.setWordWrap(True)
        self.problem.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column.addWidget(self.problem)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def show_note(self, note: EffectNote) -> None:
        """Show what a slot's knobs move, and what is wrong with the file."""
        for k, knob in enumerate(self.knobs):
            label = note.labels[k] if k < len(note.labels) else f"knob {k + 1}"
            if label != knob.label:
                knob.label = label
                knob.updateGeometry()
                knob.update()
        self.problem.show_text(note.problem, f"color: {theme.ALARM}" if note.problem else "")


class EffectFileChoice(Addressed, NameChoice):
    """The files in the user's folder; a path chosen elsewhere is shown by its name."""

    def __init__(self, surface: Surface, slot: int) -> None:
        NameChoice.__init__(self)
        address = file_address(slot)
        self.setToolTip(tooltip(address))
        self.setAccessibleName(f"file of user effect {slot}")
        self.addItem(NO_FILE, "")
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.activated.connect(lambda k: surface.controls.set(address, self.itemData(k), SOURCE))

    def show_value(self, value: Value) -> None:
        """Show what the store holds."""
        NameChoice.show_value(self, value)
        self.setToolTip(f"{tooltip(self.address)}<br>{value}" if value else tooltip(self.address))

    def showPopup(self) -> None:
        """List what is in the user's folder now."""
        held = str(self.currentData() or "")
        self.clear()
        self.addItem(NO_FILE, "")
        for name in Library().own_files(EFFECTS):
            self.addItem(name, name)
        self.show_value(held)
        NameChoice.showPopup(self)


def _file_row(surface: Surface, slot: int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    row.addWidget(EffectFileChoice(surface, slot), 1)
    row.addWidget(FileButton(surface, file_address(slot), "File …", FILE_FILTER))
    return row
