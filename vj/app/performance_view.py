"""Performance mode: no editing, nothing small. Picture, what comes next, sixteen large pads, beat, meters, blackout."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.parameter import Value
from engine.params import PROMPT_PADS
from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, tooltip
from vj.app.beat_panel import BeatPanel
from vj.app.cue_panel import CuePanel
from vj.app.fader import Fader
from vj.app.next_panel import NextPanel
from vj.app.output_panel import BLACKOUT_ADDRESS, LEVEL_ADDRESS, panic_row
from vj.app.pad_state import PadState
from vj.app.parameter_widgets import QuietLabel, SwitchButton, TriggerButton
from vj.app.program_panel import ProgramPanel
from vj.app.rows import row_of
from vj.app.sound_panel import SoundPanel
from vj.app.sources import PanelSources
from vj.app.surface import Surface

PADS_IN_ROW = 4
GAP = 6
PADDING = 9
METER_HEIGHT = 8
EDGE_WIDTH = 6


class BigPad(Addressed, QPushButton):
    """A pad to hit: number, state, words, and its weight as a bar. A press brings it up."""

    def __init__(self, surface: Surface, pad: int) -> None:
        QPushButton.__init__(self)
        self.setObjectName("bigpad")
        self.pad = pad
        self._words = ""
        self._weight = 0.0
        self._state = PadState("", theme.FAINT)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.stand_for(surface, f"/vj/prompt/{pad}/go")
        self.setToolTip(tooltip(self.address))
        self.setAccessibleName(f"pad {pad}")
        surface.follow(f"/vj/prompt/{pad}/text", self._show_words)
        surface.follow(f"/vj/prompt/{pad}/weight", self._show_weight)
        self.pressed.connect(self._play)

    def minimumSizeHint(self) -> QSize:
        """Two lines of words under the number."""
        return QSize(120, 4 * self.fontMetrics().height())

    def show_state(self, state: PadState) -> None:
        """Show how far the pad is on its way to the screen."""
        if state != self._state:
            self._state = state
            self.update()

    def shown_texts(self) -> list[tuple[str, QRect, Qt.AlignmentFlag]]:
        """What stands in the first line."""
        inside = self.rect().adjusted(PADDING + EDGE_WIDTH, PADDING - 3, -PADDING, 0)
        line = QRect(inside.left(), inside.top(), inside.width(), self.fontMetrics().height())
        return [
            (str(self.pad), line, Qt.AlignmentFlag.AlignLeft),
            (self._state.word, line, Qt.AlignmentFlag.AlignRight),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, edge, words and weight."""
        painter = QPainter(self)
        is_up = self._weight > 0.0
        painter.fillRect(self.rect(), QColor(theme.RAISED if is_up or self.isDown() else theme.SURFACE))
        painter.setPen(QColor(theme.ACCENT if self.hasFocus() else theme.EDGE))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        if self._state.colour != theme.FAINT:
            painter.fillRect(0, 0, EDGE_WIDTH, self.height(), QColor(self._state.colour))
        (number, line, left), (word, _, right) = self.shown_texts()
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(line, left, number)
        painter.setPen(QColor(self._state.colour))
        painter.drawText(line, right, word)
        below = QRectF(line.left(), line.bottom() + 4, line.width(), self.height() - line.bottom() - 12 - METER_HEIGHT)
        painter.setPen(QColor(theme.TEXT if is_up else theme.FAINT))
        line_height = self.fontMetrics().lineSpacing()
        below.setHeight(below.height() // line_height * line_height)  # half a line cannot be read
        painter.setClipRect(below)
        painter.drawText(below, Qt.TextFlag.TextWordWrap, self._words)
        painter.setClipping(False)
        foot = QRectF(line.left(), self.height() - METER_HEIGHT - 4, line.width(), METER_HEIGHT)
        painter.fillRect(foot, QColor(theme.WELL))
        painter.fillRect(foot.adjusted(0, 0, -foot.width() * (1.0 - self._weight), 0), QColor(theme.ACCENT))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press, or copy the address."""
        if not self.is_copying(event):
            QPushButton.mousePressEvent(self, event)

    def _play(self) -> None:
        if self._words:  # an empty pad would take the picture away
            self._surface.controls.trigger(self.address, SOURCE)

    def _show_words(self, value: Value) -> None:
        self._words = str(value)
        self.update()

    def _show_weight(self, value: Value) -> None:
        self._weight = float(value)
        self.update()


class PerformanceView(QWidget):
    """The whole window while nobody edits."""

    def __init__(self, surface: Surface, sources: PanelSources) -> None:
        super().__init__()
        self.program = ProgramPanel()
        self.next = NextPanel()
        self.pads = [BigPad(surface, pad) for pad in range(1, PROMPT_PADS + 1)]
        self.beat = BeatPanel(surface, sources.clock, is_compact=True)
        self.sound = SoundPanel(surface, sources.sound, is_compact=True)
        self.cues = CuePanel(surface, sources.cues)
        self.level = Fader(surface, LEVEL_ADDRESS)
        self.blackout = SwitchButton(surface, BLACKOUT_ADDRESS, "BLACKOUT  B")
        self.blackout.setObjectName("blackout")
        self.panic = panic_row(surface)
        self.hard_cut = TriggerButton(surface, "/vj/cut/hard", "HARD CUT")
        self.hard_cut.setObjectName("cut")
        self.soft_cut = TriggerButton(surface, "/vj/cut/soft", "SOFT CUT")
        self.soft_cut.setObjectName("cut")
        self.edit = QPushButton("Edit  Ctrl+E")
        self.edit.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.message = QuietLabel()
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for button in (self.blackout, *self.panic, self.hard_cut, self.soft_cut):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self._lay_out()

    def show_states(self, states: Sequence[PadState]) -> None:
        """Show how far each pad is."""
        for pad, state in zip(self.pads, states, strict=True):
            pad.show_state(state)

    def refresh(self) -> None:
        """Show beat and sound of this moment."""
        self.beat.refresh()
        self.sound.refresh()
        self.cues.refresh()

    def _lay_out(self) -> None:
        pads = QGridLayout()
        pads.setSpacing(GAP)
        for k, pad in enumerate(self.pads):
            pads.addWidget(pad, k // PADS_IN_ROW, k % PADS_IN_ROW)
            pads.setRowStretch(k // PADS_IN_ROW, 1)
            pads.setColumnStretch(k % PADS_IN_ROW, 1)
        left, hands, foot = QVBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for layout in (left, hands, foot):
            layout.setSpacing(GAP)
        left.addWidget(self.program, 7)
        hands.addWidget(self.blackout, 2)
        hands.addWidget(self.hard_cut, 1)
        hands.addWidget(self.soft_cut, 1)
        left.addLayout(hands, 1)
        left.addLayout(row_of([self.level, *self.panic]), 1)
        top = QHBoxLayout()
        top.setSpacing(GAP)
        top.addLayout(left, 6)
        top.addLayout(pads, 9)
        for panel, share in ((self.next, 4), (self.beat, 4), (self.sound, 3), (self.cues, 4)):
            foot.addWidget(panel, share)
        line = QHBoxLayout()
        line.addWidget(self.message, 1)
        line.addWidget(self.edit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(line)
        layout.addLayout(top, 6)
        layout.addLayout(foot, 1)
