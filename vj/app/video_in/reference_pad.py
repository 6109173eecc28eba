"""The reference pads: a picture each that guides until it is switched off; from a file, an input or the output.

A press takes a still; the file is written and read by other threads. Opens no file itself.
"""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from engine.video_in.params import REFERENCES
from vj.app.addressed import SOURCE
from vj.app.choices import ParameterChoice
from vj.app.dropped_file import FileTaker
from vj.app.parameter_widgets import ParameterText, SwitchButton, TriggerButton, card
from vj.app.surface import Surface
from vj.app.video_in.picture_view import PictureView
from vj.app.video_in.source_choice import FileButton
from vj.app.video_in.thumbnails import Thumbnails
from vj.inputs.source_text import STILL_SUFFIXES
from vj.inputs.still_params import from_input_address, from_output_address

LEAST_PICTURE = QSize(96, 54)
FILE_FILTER = f"Pictures ({' '.join(f'*{suffix}' for suffix in sorted(STILL_SUFFIXES))})"
COLUMNS = 2


class ReferencePad(FileTaker):
    """One pad. A picture file may be dropped on it."""

    suffixes = tuple(STILL_SUFFIXES)

    def __init__(self, surface: Surface, pad: int) -> None:
        super().__init__()
        self.setObjectName("row")
        self.setAcceptDrops(True)
        self._controls = surface.controls
        self._pad = pad
        self._start = f"/vj/vace/ref/{pad}/"
        self.picture = PictureView(LEAST_PICTURE)
        self.switch = SwitchButton(surface, f"{self._start}on", f"{pad} on")
        self.role = ParameterChoice(surface, f"{self._start}role", "")
        self.fit = ParameterChoice(surface, f"{self._start}fit", "")
        self.path = ParameterText(surface, f"{self._start}file", "a file")
        self.path.setAcceptDrops(False)  # the pad takes files, not their address as words
        self.file = PictureButton(surface, f"{self._start}file", "…", FILE_FILTER)
        self.from_input = TriggerButton(surface, from_input_address(pad), "from input")
        self.from_output = TriggerButton(surface, from_output_address(pad), "from output")
        self.drop = QPushButton("✕")
        self.drop.setToolTip(f"Take the picture out of pad {pad}")
        self.drop.setAccessibleName(f"empty reference {pad}")
        self.drop.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.drop.clicked.connect(self._empty)
        for button in (self.from_input, self.from_output, self.drop, self.file):
            button.setObjectName("small")
        for button in (self.switch, self.drop):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._lay_out()

    def refresh(self, thumbnails: Thumbnails) -> None:
        """Show the pad's picture, once it has been read."""
        path = str(self._controls.store.get(f"{self._start}file"))
        thumbnail = thumbnails.ask(f"reference {self._pad}", path, self.picture.size()) if path else None
        words = f"{Path(path).name}: not here, or no picture" if path else "empty"
        self.picture.show_picture(thumbnail, words)

    def take_file(self, path: str) -> None:
        """Put a picture into the pad and let it guide."""
        self._controls.set_many({f"{self._start}file": path, f"{self._start}on": True}, SOURCE)

    def _empty(self) -> None:
        self._controls.set_many({f"{self._start}file": "", f"{self._start}on": False}, SOURCE)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.picture, 1)
        for widgets in (
            (self.switch, self.role, self.fit),
            (self.from_input, self.from_output),
            (self.path, self.file, self.drop),
        ):
            row = QHBoxLayout()
            row.setSpacing(3)
            for widget in widgets:
                row.addWidget(widget, 0 if widget in (self.switch, self.file, self.drop) else 1)
            layout.addLayout(row)


class PictureButton(FileButton):
    """A file dialog whose choice also switches the pad on."""

    def take_file(self, path: str) -> None:
        """Set the file, and let it guide."""
        self._surface.controls.set_many({self._address: path, self._address.removesuffix("file") + "on": True}, SOURCE)


def reference_card(surface: Surface) -> tuple[QFrame, list[ReferencePad]]:
    """All pads under a title."""
    frame, column = card("References: they guide until they are switched off")
    pads = [ReferencePad(surface, pad) for pad in range(1, REFERENCES + 1)]
    grid = QGridLayout()
    grid.setSpacing(8)
    for k, pad in enumerate(pads):
        grid.addWidget(pad, k // COLUMNS, k % COLUMNS)
    column.addLayout(grid, 1)
    return frame, pads
