"""The beat: tempo, who leads it, the beats of the bar as they fall, and the hands on it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from vj.app import theme
from vj.app.choices import ParameterChoice
from vj.app.parameter_widgets import ParameterDecimal, QuietLabel, TriggerButton
from vj.app.surface import Surface
from vj.tempo.clock import BEATS_PER_BAR, Clock, ClockState
from vj.tempo.params import BPM_ADDRESS

LIT_SHARE = 0.35  # of a beat a dot is at its brightest


class BeatDots(QWidget):
    """1-2-3-4: the beat that plays is lit, the first of the bar in another colour."""

    def __init__(self) -> None:
        super().__init__()
        self._beat = -1
        self._is_bright = False
        self.setObjectName("beats")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Four dots a thumb wide."""
        return QSize(200, 36)

    def minimumSizeHint(self) -> QSize:
        """Still seen from afar."""
        return QSize(120, 28)

    def show_beat(self, beat: float) -> None:
        """Light the dot of this moment, in beats since the origin."""
        number, is_bright = int(beat // 1) % BEATS_PER_BAR, beat % 1.0 < LIT_SHARE
        if (number, is_bright) != (self._beat, self._is_bright):
            self._beat, self._is_bright = number, is_bright
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dots and their numbers."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self.width() / BEATS_PER_BAR
        size = min(width - 4, self.height() - 2)
        for n in range(BEATS_PER_BAR):
            place = QRectF(0, 0, size, size)
            place.moveCenter(QRectF(n * width, 0, width, self.height()).center())
            is_on = n == self._beat
            colour = theme.WARNING if n == 0 else theme.ACCENT
            painter.setPen(QColor(colour if is_on else theme.EDGE))
            painter.setBrush(QColor(colour if is_on and self._is_bright else theme.WELL))
            painter.drawEllipse(place)
            painter.setPen(QColor(theme.ON_COLOUR if is_on and self._is_bright else theme.FAINT))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(n + 1))
        painter.end()


class BeatPanel(QFrame):
    """Everything about the clock. `clock` None = there is none; the dots stay dark."""

    def __init__(self, surface: Surface, clock: Clock | None, is_compact: bool = False) -> None:
        """`is_compact` leaves out what is set before a show."""
        super().__init__()
        self.setObjectName("card")
        self._clock = clock
        self.bpm = ParameterDecimal(surface, BPM_ADDRESS, 1)
        self.bpm.setObjectName("huge")
        self.bpm.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.bpm.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.leader = QuietLabel("note")
        self.leader.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.leader.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.dots = BeatDots()
        self.tap = TriggerButton(surface, "/vj/clock/tap", "TAP")
        self.tap.setObjectName("tall")
        self.resync = TriggerButton(surface, "/vj/clock/resync")
        self.nudges = [
            TriggerButton(surface, "/vj/clock/half", "÷2"),
            TriggerButton(surface, "/vj/clock/double", "×2"),
            TriggerButton(surface, "/vj/clock/nudge/back", "◀ nudge"),
            TriggerButton(surface, "/vj/clock/nudge/forward", "nudge ▶"),
        ]
        rows: list[Sequence[QWidget]] = [(self.tap, self.resync), self.nudges]
        if not is_compact:
            self.source = ParameterChoice(surface, "/vj/clock/source", "by")
            self.quantise = ParameterChoice(surface, "/vj/clock/quantise", "on")
            rows.append((self.source, self.quantise))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        unit = QLabel("BPM")
        unit.setObjectName("title")
        unit.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        for row in ((self.bpm, unit, self.leader), (self.dots,), *rows):
            line = QHBoxLayout()
            line.setSpacing(4)
            for part in row:
                line.addWidget(part, part is not self.bpm and part is not self.resync)
            layout.addLayout(line, int(row[0] in (self.tap, self.dots)))
        self.tap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.resync.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def refresh(self) -> None:
        """Show the beat of this moment."""
        if self._clock is not None:
            self.dots.show_beat(self._clock.beat_at(time.monotonic_ns()))

    def refresh_leader(self, wanted: str) -> None:
        """Say who really leads; `wanted` is the source that was chosen."""
        if self._clock is None:
            self.leader.show_text("no clock")
            return
        words, is_wanting = describe_leader(self._clock.state, wanted)
        self.leader.show_text(words, f"color: {theme.WARNING if is_wanting else theme.FAINT};")


def describe_leader(state: ClockState, wanted: str) -> tuple[str, bool]:
    """Name who leads, and whether that is not who was asked to."""
    if state.source != wanted:
        return f"no {wanted}", True
    if state.source == "link":
        return f"{state.peers} peer{'' if state.peers == 1 else 's'}", False
    if state.source == "sound":
        return f"sure {state.confidence:.0%}", False
    return ("by hand" if state.source == "internal" else "locked"), False
