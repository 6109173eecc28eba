"""The LoRA slots: which file each holds, how strong it is, whether it is heard, and what the engine made of it.

A file is chosen in a dialog, dropped onto its row or typed. Opens no file itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import platformdirs
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.params import LORA_SLOTS, LORA_SUFFIXES
from vj.app import theme
from vj.app.addressed import SOURCE
from vj.app.dropped_file import FileTaker
from vj.app.fader import Fader
from vj.app.parameter_widgets import ParameterText, QuietLabel, SwitchButton, card
from vj.app.surface import Surface

FILE_FILTER = f"LoRA files ({' '.join(f'*{suffix}' for suffix in LORA_SUFFIXES)})"
NO_FILE, READING = "drop a file here", "being read"


class LoraPanel(QWidget):
    """All slots, one row each. Belongs to the GUI thread."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        frame, column = card("LoRAs")
        self.rows = [LoraRow(surface, slot) for slot in range(1, LORA_SLOTS + 1)]
        for row in self.rows:
            column.addWidget(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def show_loras(self, notes: Sequence[str], failures: Sequence[str]) -> None:
        """Show what the engine says of each slot's file: what it is, or why it is not heard."""
        for k, row in enumerate(self.rows):
            row.show_file(notes[k] if k < len(notes) else "", failures[k] if k < len(failures) else "")


class LoraRow(FileTaker):
    """One slot: switch, file, strength, and what is known of the file."""

    suffixes = LORA_SUFFIXES

    def __init__(self, surface: Surface, slot: int) -> None:
        super().__init__()
        self.setObjectName("row")
        self.setAcceptDrops(True)
        self._surface = surface
        self._address = f"/vj/lora/{slot}"
        self.switch = SwitchButton(surface, f"{self._address}/on", f"{slot} on")
        self.switch.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.file = ParameterText(surface, f"{self._address}/file", f"file of slot {slot}")
        self.file.setAcceptDrops(False)  # the row takes files, not their address as words
        self.choose = QPushButton("...")
        self.choose.setToolTip(f"Choose a file for slot {slot}")
        self.choose.setAccessibleName(f"choose LoRA {slot}")
        self.choose.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.choose.clicked.connect(self._open_dialog)
        self.weight = Fader(surface, f"{self._address}/weight")
        self.note = QuietLabel("note")
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        hand = QHBoxLayout(self)
        hand.setContentsMargins(0, 0, 0, 0)
        hand.setSpacing(4)
        hand.addWidget(self.switch)
        hand.addWidget(self.file, 3)
        hand.addWidget(self.choose)
        hand.addWidget(self.weight, 3)
        hand.addWidget(self.note, 3)

    def show_file(self, note: str, failure: str) -> None:
        """Say what the slot's file is, or why it is not heard."""
        written = str(self._surface.controls.store.get(f"{self._address}/file"))
        told = failure.partition(": ")[2] or failure  # the file it begins with is in the row already
        words = told or note or (READING if written else NO_FILE)
        self.note.show_fitting(words, f"color: {theme.ALARM}" if failure else "")

    def take_file(self, path: str) -> None:
        """Put a file into the slot and let it be heard; the weight stays where the hand left it."""
        values = {f"{self._address}/file": path, f"{self._address}/on": True}
        self._surface.controls.set_many(values, SOURCE)

    def _open_dialog(self) -> None:
        written = Path(str(self._surface.controls.store.get(f"{self._address}/file")))
        own = platformdirs.user_data_path("vj", appauthor=False) / "loras"
        dialog = QFileDialog(self.window(), "LoRA", str(written.parent if written.is_absolute() else own), FILE_FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.take_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()  # returns at once: the panels go on
