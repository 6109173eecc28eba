"""Files dropped on a widget. Knows nothing of what they are for."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QWidget


class FileTaker(QWidget):
    """A widget that one file of this computer may be dropped on, if its suffix is one of these."""

    suffixes: tuple[str, ...] = ()  # in small letters

    def take_file(self, path: str) -> None:
        """Do with the file what the widget is for."""
        raise NotImplementedError

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome a file that fits."""
        if self._dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take it."""
        if path := self._dropped(event):
            event.acceptProposedAction()
            self.take_file(path)

    def _dropped(self, event: QDropEvent) -> str:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        return next((path for path in paths if Path(path).suffix.lower() in self.suffixes), "")
