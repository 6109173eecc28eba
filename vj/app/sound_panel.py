"""The sound that is listened to: level and four bands, hits, clipping, the device and its gain."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, tooltip
from vj.app.choices import NameChoice
from vj.app.fader import Fader
from vj.app.parameter_widgets import QuietLabel, SwitchButton, heading
from vj.app.surface import Surface
from vj.sound.features import SILENCE, SoundFeatures

DEVICE_ADDRESS = "/vj/audio/device"
SYSTEM_DEVICE = "system's own"
HIT_S = 0.12  # an onset is lit this long
BAR_NAMES = ("level", "bass", "low", "mid", "high")  # short for the names in vj.sound.features
STEPS = 100


@dataclass(frozen=True)
class SoundSource:
    """What the panel reads of the sound; all of it answers at once."""

    features: Callable[[], SoundFeatures] = lambda: SILENCE
    problem: Callable[[], str] = lambda: "no sound input"
    device: Callable[[], str] = lambda: ""
    devices: Callable[[], Sequence[str]] = lambda: ()


class Meters(QWidget):
    """Level and four bands as bars; a hit lights the top of its band."""

    def __init__(self) -> None:
        super().__init__()
        self._bars = (0,) * len(BAR_NAMES)
        self._hits = (False,) * 4
        self._problem = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Bars a thumb high."""
        return QSize(180, 64)

    def minimumSizeHint(self) -> QSize:
        """Room for the names and some bar."""
        return QSize(180, 48)

    def show_problem(self, sentence: str) -> None:
        """Say in the bars' place why nothing is heard; empty = something is."""
        if sentence != self._problem:
            self._problem = sentence
            self.update()

    def show_features(self, features: SoundFeatures, now_ns: int) -> None:
        """Show what is heard."""
        bars = tuple(round(min(1.0, value) * STEPS) for value in (features.level, *features.bands))
        hits = tuple(at > 0 and now_ns - at < HIT_S * 1e9 for at in features.onset_times_ns)
        if (bars, hits) != (self._bars, self._hits):
            self._bars, self._hits = bars, hits
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars and their names."""
        painter = QPainter(self)
        if self._problem:
            painter.setPen(QColor(theme.FAINT))
            painter.drawText(self.rect(), Qt.TextFlag.TextWordWrap, self._problem)
            painter.end()
            return
        width, line = self.width() / len(BAR_NAMES), painter.fontMetrics().height()
        room = self.height() - line - 2
        for k, (name, bar) in enumerate(zip(BAR_NAMES, self._bars, strict=True)):
            place = QRectF(k * width + 2, 0, width - 4, room)
            painter.fillRect(place, QColor(theme.WELL))
            top = place.height() * (1.0 - bar / STEPS)
            colour = theme.GOOD if k == 0 else theme.FILL_STRONG
            painter.fillRect(place.adjusted(0, top, 0, 0), QColor(colour))
            if k > 0 and self._hits[k - 1]:
                painter.fillRect(QRectF(place.x(), 0, place.width(), 6), QColor(theme.ACCENT))
            painter.setPen(QColor(theme.FAINT))
            painter.drawText(QRectF(k * width, room + 2, width, line), Qt.AlignmentFlag.AlignCenter, name)
        painter.end()


class DeviceChoice(Addressed, NameChoice):
    """The inputs by name; the parameter is a text, so one that is not plugged in can be chosen elsewhere."""

    def __init__(self, surface: Surface, source: SoundSource) -> None:
        NameChoice.__init__(self)
        self._source = source
        self.setToolTip(tooltip(DEVICE_ADDRESS))
        self.setAccessibleName("sound device")
        self.addItem(SYSTEM_DEVICE, "")
        self.stand_for(surface, DEVICE_ADDRESS, self.show_value)
        self.activated.connect(lambda k: surface.controls.set(DEVICE_ADDRESS, self.itemData(k), SOURCE))

    def showPopup(self) -> None:
        """Look for devices when they are asked for."""
        held = str(self.currentData() or "")
        self.clear()
        self.addItem(SYSTEM_DEVICE, "")
        for name in self._source.devices():
            self.addItem(name, name)
        self.show_value(held)
        NameChoice.showPopup(self)


class SoundPanel(QFrame):
    """Meters, device, gain, and one word when something is wrong."""

    def __init__(self, surface: Surface, source: SoundSource, is_compact: bool = False) -> None:
        """`is_compact` leaves out what is set before a show."""
        super().__init__()
        self.setObjectName("card")
        self._source = source
        self.word = QuietLabel("note")
        self.word.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.word.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.meters = Meters()
        self.gain = Fader(surface, "/vj/audio/gain")
        self.auto_gain = SwitchButton(surface, "/vj/audio/auto_gain", "auto")
        self.auto_gain.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        top, gains = QHBoxLayout(), QHBoxLayout()
        top.addWidget(heading("Sound"))
        top.addWidget(self.word, 1)
        gains.setSpacing(4)
        gains.addWidget(self.gain, 1)
        gains.addWidget(self.auto_gain)
        layout.addLayout(top)
        layout.addWidget(self.meters, 1)
        if not is_compact:
            self.device = DeviceChoice(surface, source)
            layout.addWidget(self.device)
        layout.addLayout(gains)

    def refresh(self) -> None:
        """Show what is heard now."""
        features = self._source.features()
        problem = self._source.problem()
        self.meters.show_features(features, time.monotonic_ns())
        self.meters.show_problem(problem)
        word, colour = describe_sound(features, problem, self._source.device())
        self.word.show_fitting(word, f"color: {colour};")


def describe_sound(features: SoundFeatures, problem: str, device: str) -> tuple[str, str]:
    """The one word and its colour: the gravest first."""
    if problem:
        return "no input", theme.WARNING
    if features.is_clipping:
        return "CLIPPING", theme.ALARM
    if not features.has_signal:
        return "no signal", theme.WARNING
    return device, theme.FAINT
