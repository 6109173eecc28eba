"""The performer's window: all panels, polled at 30 Hz, and the two-step way to end the show.

Knows the controls, a generator's status and a reader; builds no engine, output or controller itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.messages import GeneratorStatus
from vj.app import theme
from vj.app.output_panel import BLACKOUT_ADDRESS, OutputPanel
from vj.app.parameter_widgets import SOURCE, QuietLabel
from vj.app.problem_board import ProblemBoard
from vj.app.prompt_panel import PromptPanel
from vj.app.status_strip import Ports, StatusStrip
from vj.app.stream_panel import StreamPanel
from vj.controls import Controls
from vj.output.frame_reader import FrameReader
from vj.output.params import OutputParams

POLL_MS = 33
SLOW_POLLS = 3  # meters and preview are shown at every third poll
CONFIRM_S = 5.0
NS_PER_MS = 1e6


@dataclass(frozen=True)
class PanelSources:
    """What the panels read, besides the store. All of it answers at once."""

    generator: Callable[[], GeneratorStatus]
    reader: FrameReader
    ports: Callable[[], Ports]
    problems: ProblemBoard


class MainWindow(QWidget):
    """All panels. Belongs to the GUI thread."""

    end_confirmed = pyqtSignal()
    output_asked = pyqtSignal()  # Tab: the output goes back above the panels

    def __init__(self, controls: Controls, sources: PanelSources) -> None:
        super().__init__()
        self._controls = controls
        self._sources = sources
        self._shown_version: int | None = None
        self._polls = 0
        self._asked_s: float | None = None  # when ending was asked for and not yet confirmed
        self.slowest_poll_ms = 0.0
        self.setWindowTitle("vj")
        self.setStyleSheet(theme.STYLE)
        self.prompts = PromptPanel(controls)
        self.stream = StreamPanel(controls)
        self.output = OutputPanel(controls)
        self.strip = StatusStrip()
        self.message = QuietLabel()
        self.end_button = QPushButton("End show")
        self.end_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.end_button.clicked.connect(self.ask_to_end)
        self._lay_out()
        self._add_keys()
        # keys play the instrument until somebody goes into a text
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFocus()
        self.refresh()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()

    def refresh(self) -> None:
        """Show what has changed since the last poll."""
        began_ns = time.perf_counter_ns()
        version, values = self._controls.store.versioned_snapshot()
        if version != self._shown_version:
            self._shown_version = version
            self.prompts.show_values(values)
            self.stream.show_values(values)
            self.output.show_values(values)
        if self._polls % SLOW_POLLS == 0:
            generator, playback = self._sources.generator(), self._sources.reader.status
            params = OutputParams.from_values(values)
            self.prompts.show_status(generator, values)
            self.strip.show_status(generator, playback, params)
            self.strip.show_error(self._sources.problems.poll())
            self.output.preview.show_frame(self._sources.reader.frame_on_screen, params)
        elif self._polls % SLOW_POLLS == 1:
            self.strip.show_ports(self._sources.ports())
            self._forget_old_question()
        self._polls += 1
        self.slowest_poll_ms = max(self.slowest_poll_ms, (time.perf_counter_ns() - began_ns) / NS_PER_MS)

    def bring_up(self) -> None:
        """Show the panels above everything else."""
        self.show()
        self.raise_()
        self.activateWindow()

    def ask_to_end(self) -> None:
        """End the show; while it is live only when asked twice within a few seconds. No dialog gets in the way."""
        is_live = self._sources.reader.status.is_streaming or self.output.fullscreen.isChecked()
        if is_live and self._asked_s is None:
            self._asked_s = time.monotonic()
            self.message.show_text("The output is live. Ask once more to end the show.", theme.badge(theme.ALARM))
            self.end_button.setText("End show: sure?")
            return
        self.end_confirmed.emit()

    def say(self, sentence: str) -> None:
        """Show a sentence in the header for a few seconds."""
        self._asked_s = None
        self.message.show_text(sentence, theme.badge(theme.WARNING, is_filled=False, size_px=17))
        QTimer.singleShot(round(CONFIRM_S * 1000), self._clear_message)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Treat the window's own close button like the panel's."""
        event.ignore()
        self.ask_to_end()

    def _lay_out(self) -> None:
        title = QLabel("vj")
        title.setObjectName("number")
        header = QHBoxLayout()
        header.addWidget(title)
        header.addStretch(1)
        header.addWidget(self.message)
        header.addStretch(1)
        header.addWidget(self.end_button)
        grid = QGridLayout()
        grid.setSpacing(10)
        grid.addWidget(self.prompts, 0, 0, 2, 1)
        grid.addWidget(self.output, 0, 1)
        grid.addWidget(self.stream, 1, 1)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.setRowStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 12, 8)
        layout.setSpacing(8)
        layout.addLayout(header)
        layout.addLayout(grid, 1)
        layout.addWidget(self.strip)

    def _add_keys(self) -> None:
        for keys, action in (
            ("B", self._toggle_blackout),
            ("Tab", self.output_asked.emit),
            ("Ctrl+Q", self.ask_to_end),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(action)
            shortcut.setAutoRepeat(False)
            if keys == "Tab":
                self._tab = shortcut
        self.show_cover(False)

    def show_cover(self, is_above_panels: bool) -> None:
        """Take Tab for the output while it lies above the panels; else it walks from field to field."""
        self._tab.setEnabled(is_above_panels)

    def _toggle_blackout(self) -> None:
        self._controls.set(BLACKOUT_ADDRESS, not self._controls.store.get(BLACKOUT_ADDRESS), SOURCE)

    def _forget_old_question(self) -> None:
        if self._asked_s is not None and time.monotonic() - self._asked_s > CONFIRM_S:
            self._asked_s = None
            self._clear_message()
            self.end_button.setText("End show")

    def _clear_message(self) -> None:
        if self._asked_s is None:
            self.message.show_text("", "")
