"""The line along the top: pages, the sentence for the performer, map and performance mode, the way to end the show."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from vj.app.parameter_widgets import QuietLabel


class Header(QWidget):
    """Buttons only ask; what they ask for is done by the window."""

    page_asked = pyqtSignal(int)

    def __init__(self, pages: Sequence[str]) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.pages: list[QPushButton] = []
        for k, name in enumerate(pages):
            button = _button(name.replace("&", "&&"), page_key(k) or name)  # one alone marks a letter
            button.setObjectName("page")
            button.setCheckable(True)
            button.clicked.connect(lambda _, k=k: self.page_asked.emit(k))
            self._group.addButton(button)
            self.pages.append(button)
            layout.addWidget(button)
        self.message = QuietLabel()
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout.addWidget(self.message, 1)
        self.map = _button("Map  M", "Click a widget, move a control: mapped")
        self.map.setCheckable(True)
        self.save = _button("Save", "Save the whole show (Ctrl+S)")
        self.perform = _button("Perform", "Hide all editing (Ctrl+E)")
        self.keys = _button("Keys  ?", "Every key and what it does")
        self.end = _button("End show", "Ctrl+Q; while the output is live it is asked twice")
        for button in (self.map, self.save, self.perform, self.keys, self.end):
            layout.addWidget(button)
        self.show_page(0)

    def show_page(self, page: int) -> None:
        """Light the page that is shown."""
        self.pages[page].setChecked(True)


def page_key(page: int) -> str:
    """Key that shows page 0..: Ctrl+1 to Ctrl+9, then Ctrl+0; none for those after."""
    return f"Ctrl+{(page + 1) % 10}" if page < 10 else ""


def _button(text: str, help_text: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(help_text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
