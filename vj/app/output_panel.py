"""The output as the performer sees it: preview, level, blackout, display and fullscreen.

Asks for displays through signals; knows nothing of the output window itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.frame_ring import Frame
from engine.parameter import Value
from vj.app.parameter_widgets import ParameterFader, SwitchButton, card
from vj.controls import Controls
from vj.output.displays import describe
from vj.output.params import OutputParams

LEVEL_ADDRESS = "/vj/output/level"
BLACKOUT_ADDRESS = "/vj/output/blackout"


class Preview(QWidget):
    """A small, cheap copy of the output: the frame on screen, its level and its blackout."""

    def __init__(self) -> None:
        super().__init__()
        self._frame: Frame | None = None
        self._params = OutputParams()
        self.setMinimumHeight(150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """Prefer the shape of a screen."""
        return QSize(400, 225)

    def show_frame(self, frame: Frame | None, params: OutputParams) -> None:
        """Draw this frame at the next repaint, if it is another one."""
        if frame is not self._frame or params != self._params:
            self._frame, self._params = frame, params
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame whole and undistorted on black."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0))
        if self._frame is not None and not self._params.blackout:
            height, width, _ = self._frame.pixels.shape
            image = QImage(self._frame.pixels.data, width, height, QImage.Format.Format_RGBX8888)
            scale = min(self.width() / width, self.height() / height)
            place = QRectF(0, 0, width * scale, height * scale)
            place.moveCenter(QRectF(self.rect()).center())
            painter.setOpacity(self._params.level)
            painter.drawImage(place, image)
        painter.end()


class OutputPanel(QWidget):
    """Everything that acts on the output at the next display refresh."""

    fullscreen_asked = pyqtSignal(int, bool)  # display, counted from 0; on or off

    def __init__(self, controls: Controls) -> None:
        super().__init__()
        frame, inside = card("Output")
        self.preview = Preview()
        self.level = ParameterFader(controls, LEVEL_ADDRESS)
        self.blackout = SwitchButton(controls, BLACKOUT_ADDRESS, "BLACKOUT  (B)")
        self.blackout.setObjectName("blackout")
        self.displays = QComboBox()
        self.displays.setToolTip("Display the output covers when it is fullscreen")
        self.fullscreen = QPushButton("Fullscreen")
        self.fullscreen.setCheckable(True)
        self.fullscreen.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.fullscreen.setToolTip(
            "Cover the chosen display. If it is the only one, Tab brings the panels back and hides them again."
        )
        self.fullscreen.clicked.connect(self._ask)
        self.displays.activated.connect(self._ask)
        row = QHBoxLayout()
        row.addWidget(self.displays, 1)
        row.addWidget(self.fullscreen)
        inside.addWidget(self.preview, 1)
        level = QHBoxLayout()
        level.addWidget(QLabel("level"))
        level.addWidget(self.level, 1)
        inside.addLayout(level)
        inside.addWidget(self.blackout)
        inside.addLayout(row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)
        application = QGuiApplication.instance()
        application.screenAdded.connect(self._list_displays)
        application.screenRemoved.connect(self._list_displays)
        self._list_displays()

    def show_values(self, values: Mapping[str, Value]) -> None:
        """Show what the store holds."""
        self.level.show_value(values[LEVEL_ADDRESS])
        self.blackout.show_value(values[BLACKOUT_ADDRESS])

    def show_output(self, display: int, is_fullscreen: bool) -> None:
        """Show where the output really is."""
        self.fullscreen.setChecked(is_fullscreen)
        if display >= 0:
            self.displays.setCurrentIndex(display)

    def _list_displays(self) -> None:
        chosen = max(0, self.displays.currentIndex())
        self.displays.clear()
        self.displays.addItems([describe(screen) for screen in QGuiApplication.screens()])
        self.displays.setCurrentIndex(min(chosen, self.displays.count() - 1))

    def _ask(self) -> None:
        self.fullscreen_asked.emit(self.displays.currentIndex(), self.fullscreen.isChecked())
