"""The browser of an input: what is there, by name and kind, and files by a dialog. Asks for devices, never waits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QFont, QStandardItem
from PyQt6.QtWidgets import QFileDialog, QPushButton, QSizePolicy

from engine.parameter import Value
from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, tooltip
from vj.app.choices import NameChoice
from vj.app.surface import Surface
from vj.app.video_in.video_source import TEST_SOURCES, VideoSource
from vj.inputs.listing import Listed
from vj.inputs.params import source_address

NOTHING, OWN_FORMAT = "nothing", "its own format"
TITLES = {
    "camera": "Cameras and cards",
    "screen": "Screens",
    "ndi": "NDI",
    "spout": "Spout",
    "syphon": "Syphon",
    "recent": "Files used before",
    "test": "Test pictures",
}
COMMON_FORMATS = ("1920x1080@60", "1920x1080@30", "1280x720@60", "1280x720@30", "mjpeg 1280x720@30", "640x480@30")
FILE_FILTER = (
    "Films and pictures (*.mp4 *.mov *.mkv *.avi *.webm *.m4v *.mpg *.mpeg *.ts *.mxf *.gif "
    "*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp);;All files (*)"
)


class SourceChoice(Addressed, NameChoice):
    """Everything that is there as a list; the parameter is a text, so what is not plugged in may be chosen too."""

    def __init__(self, surface: Surface, number: int, source: VideoSource) -> None:
        NameChoice.__init__(self)
        self._source = source
        address = source_address(number)
        self.setToolTip(tooltip(address))
        self.setAccessibleName(f"source of input {number}")
        self._list(())
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.activated.connect(lambda k: surface.controls.set(address, self.itemData(k), SOURCE))

    def show_value(self, value: Value) -> None:
        """Show what the store holds, by its name where that is known."""
        index = self.findData(str(value))
        if index < 0:
            index = 1  # above what is listed
            self.insertItem(index, _short(str(value)), str(value))
        self.setCurrentIndex(index)
        self.setToolTip(f"{tooltip(self.address)}<br>{str(value)}" if value else tooltip(self.address))

    def showPopup(self) -> None:
        """List what has been found, and have it looked for again: what comes meanwhile is in the list the next time."""
        held = str(self.currentData() or "")
        self._list(self._source.listed())
        self.show_value(held)
        NameChoice.showPopup(self)

    def _list(self, devices: Sequence[Listed]) -> None:
        self.clear()
        self.addItem(NOTHING, "")
        recent = [Listed("recent", str(path), path.name) for path in self._source.recent()]
        for kind, listed in groupby((*devices, *recent, *TEST_SOURCES), key=lambda one: one.kind):
            title = QStandardItem(TITLES.get(kind, kind))
            title.setFlags(Qt.ItemFlag.NoItemFlags)
            title.setForeground(QColor(theme.FAINT))
            title.setFont(_bold(self.font()))
            self.model().appendRow(title)
            for one in listed:
                self.addItem(one.name, one.source)


class FormatChoice(Addressed, NameChoice):
    """What a device is asked for: the formats it says it has, else common ones."""

    def __init__(self, surface: Surface, number: int, source: VideoSource) -> None:
        NameChoice.__init__(self)
        self._number = number
        self._source = source
        address = f"/vj/input/{number}/format"
        self.setToolTip(tooltip(address))
        self.setAccessibleName(f"format of input {number}")
        self._list(COMMON_FORMATS)
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.activated.connect(lambda k: surface.controls.set(address, self.itemData(k), SOURCE))

    def showPopup(self) -> None:
        """List what the chosen device has."""
        held = str(self.currentData() or "")
        chosen = str(self._surface.controls.store.get(source_address(self._number)))
        formats = next((one.formats for one in self._source.listed() if one.source == chosen), ())
        self._list(formats or COMMON_FORMATS)
        self.show_value(held)
        NameChoice.showPopup(self)

    def _list(self, formats: Sequence[str]) -> None:
        self.clear()
        self.addItem(OWN_FORMAT, "")
        for one in formats:
            self.addItem(one, one)


class FileButton(QPushButton):
    """Opens a dialog for a file; the panels go on meanwhile."""

    def __init__(self, surface: Surface, address: str, words: str, file_filter: str = FILE_FILTER) -> None:
        super().__init__(words)
        self._surface, self._address, self._filter = surface, address, file_filter
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip("Choose a file")
        self.setAccessibleName(f"choose a file for {address}")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.clicked.connect(self._open_dialog)

    def take_file(self, path: str) -> None:
        """Set the parameter to a file."""
        self._surface.controls.set(self._address, path, SOURCE)

    def _open_dialog(self) -> None:
        held = Path(str(self._surface.controls.store.get(self._address)))
        start = held.parent if held.is_absolute() else Path.home()
        dialog = QFileDialog(self.window(), self.text(), str(start), self._filter)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.take_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold


def _short(source: str) -> str:
    """A source that is in no list, as far as it tells something."""
    path = Path(source)
    return path.name if path.is_absolute() else source
