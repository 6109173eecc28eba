"""The outputs that are open: a line for each with its display, and how to open another.

Asks through signals; knows nothing of windows or of the stage.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from vj.app import theme
from vj.app.choices import NameChoice
from vj.app.parameter_widgets import QuietLabel, heading
from vj.output.displays import describe
from vj.output.placing_params import MOST_OUTPUTS
from vj.stage.messages import OutputFacts, Placement


class OutputList(QFrame):
    """A line per output, what may show of their displays' rates, and a button for one more."""

    place_asked = pyqtSignal(int, int, bool)  # output, display counted from 0, whether it covers it
    close_asked = pyqtSignal(int)
    open_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.lines = [_OutputLine(number) for number in range(1, MOST_OUTPUTS + 1)]
        self.more = QPushButton("Open another output")
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.more.setToolTip("On the first display that is free, else as a window")
        self.more.clicked.connect(self.open_asked)
        self.notes = QuietLabel("note")
        self.notes.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        layout.addWidget(heading("Outputs"))
        for line in self.lines:
            line.place_asked.connect(self.place_asked)
            line.close_asked.connect(self.close_asked)
            layout.addWidget(line)
        layout.addWidget(self.more)
        layout.addWidget(self.notes)
        self.notes.hide()
        self.show_places([Placement()])

    def show_places(self, places: Sequence[Placement]) -> None:
        """Show which outputs there are and where each is to be."""
        by_number = {place.output: place for place in places}
        for line in self.lines:
            line.setVisible(line.number in by_number)
            if line.number in by_number:
                line.show_place(by_number[line.number])
        self.more.setEnabled(len(by_number) < MOST_OUTPUTS)

    def show_facts(self, outputs: Sequence[OutputFacts], notes: Sequence[str]) -> None:
        """Show what the outputs do, and sentences about their displays."""
        by_number = {facts.output: facts for facts in outputs}
        for line in self.lines:
            line.show_facts(by_number.get(line.number))
        text = "\n".join(notes)
        if text != self.notes.text():
            self.notes.setText(text)
            self.notes.setVisible(bool(text))


class _OutputLine(QWidget):
    """One output: number, display, fullscreen, what it does, and how it is closed."""

    place_asked = pyqtSignal(int, int, bool)
    close_asked = pyqtSignal(int)

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.displays = NameChoice()
        self.displays.setToolTip(f"Display of output {number}")
        self.fullscreen = QPushButton("Fullscreen")
        self.fullscreen.setCheckable(True)
        self.state = QuietLabel("note")
        self.state.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        close = QPushButton("Close")
        close.setToolTip(f"Close output {number}" if number > 1 else "The first output stays for the whole show")
        close.setEnabled(number > 1)
        for button in (self.fullscreen, close):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.displays.activated.connect(self._ask)
        self.fullscreen.clicked.connect(self._ask)
        close.clicked.connect(lambda: self.close_asked.emit(number))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(1, 1)
        for column, widget in enumerate((QLabel(str(number)), self.displays, self.fullscreen, close)):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.state, 1, 1, 1, 3)
        application = QGuiApplication.instance()
        application.screenAdded.connect(self._list_displays)
        application.screenRemoved.connect(self._list_displays)
        self._list_displays()

    def show_place(self, place: Placement) -> None:
        """Show where it is to be."""
        names = [screen.name() for screen in QGuiApplication.screens()]
        self.displays.setCurrentIndex(names.index(place.display) if place.display in names else -1)
        self.fullscreen.setChecked(place.is_fullscreen)

    def show_facts(self, facts: OutputFacts | None) -> None:
        """Show what it does; None = nothing is known."""
        if facts is None:
            self.state.show_text("")
        elif facts.lost:
            self.state.show_text(f"waits for {facts.lost}", f"color: {theme.WARNING};")
        else:
            self.state.show_text(f"{facts.width}x{facts.height}  {facts.fps:.0f} Hz", f"color: {theme.FAINT};")

    def _ask(self) -> None:
        self.place_asked.emit(self.number, self.displays.currentIndex(), self.fullscreen.isChecked())

    def _list_displays(self) -> None:
        chosen = self.displays.currentText()
        names = [describe(screen) for screen in QGuiApplication.screens()]
        self.displays.clear()
        self.displays.addItems(names)
        self.displays.setCurrentIndex(names.index(chosen) if chosen in names else -1)
