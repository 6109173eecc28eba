"""Drawing a mask over the live picture of an input, and giving it to the stream: a PNG that an input shows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import QPointF, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, qRgba
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.video_in.params import INPUTS
from vj.app import theme
from vj.app.addressed import SOURCE
from vj.app.choices import NameChoice
from vj.app.fader import FADER_STEPS, Bar
from vj.app.parameter_widgets import QuietLabel, heading
from vj.app.surface import Surface
from vj.app.video_in.mask_drawing import MaskDrawing
from vj.app.video_in.picture_view import fraction
from vj.app.video_in.thumbnails import Thumbnail, Thumbnails
from vj.app.video_in.video_source import VideoSource
from vj.inputs.chain.placing import letterbox
from vj.inputs.params import source_address
from vj.inputs.still_params import GUIDE_INPUT_ADDRESS, PAINTED_INPUT_ADDRESS

MASK_INPUT_ADDRESS = "/vj/vace/mask/input"
MASK_TINT = (255, 82, 99)  # of what is drawn, half clear
BRUSH_SIZE, BRUSH_SOFTNESS = 0.12, 0.3
LARGEST_BRUSH = 0.5  # of the picture's width
LEAST_CANVAS = QSize(240, 135)


class MaskCanvas(QWidget):
    """The live picture, the mask over it, and the brush."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.drawing = MaskDrawing()
        self.size_share, self.softness, self.erases = BRUSH_SIZE, BRUSH_SOFTNESS, False
        self._behind: Thumbnail | None = None
        self._last: tuple[float, float] | None = None
        self._pointer: QPointF | None = None
        self._tinted: QImage | None = None
        self._tints = [qRgba(*MASK_TINT, round(0.6 * grey)) for grey in range(256)]
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """The least: what is left over comes by stretching."""
        return LEAST_CANVAS

    def minimumSizeHint(self) -> QSize:
        """The least in which something can be drawn."""
        return LEAST_CANVAS

    def canvas_place(self) -> QRect:
        """Where in the widget the picture lies."""
        height, width = self.drawing.pixels.shape
        place = letterbox(width, height, (self.width(), self.height()))
        return QRect(place.left, place.top, place.width, place.height)

    def show_behind(self, thumbnail: Thumbnail | None) -> None:
        """Show this live picture under the mask."""
        if thumbnail is not self._behind:
            self._behind = thumbnail
            self.update()

    def take_shape(self, ratio: float) -> None:
        """Take the shape of the generated picture, as long as nothing is drawn."""
        height, width = self.drawing.pixels.shape
        if self.drawing.is_empty and abs(width / height - ratio) > 0.01:
            self.drawing = MaskDrawing(ratio)
            self._tinted = None
            self.update()

    def clear(self) -> None:
        """Take everything away."""
        self.drawing.clear()
        self._tell()

    def invert(self) -> None:
        """Swap inside and outside."""
        self.drawing.invert()
        self._tell()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture, the mask and the brush."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.WELL))
        place = self.canvas_place()
        if self._behind is not None:
            painter.drawImage(place, self._behind.image)
        painter.drawImage(place.topLeft(), self._tinted_mask(place.size()))
        painter.setPen(QColor(theme.EDGE))
        painter.drawRect(place.adjusted(0, 0, -1, -1))
        if self._pointer is not None:
            radius = self.size_share * place.width() / 2
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QColor(theme.TEXT if not self.erases else theme.WARNING))
            painter.drawEllipse(self._pointer, radius, radius)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke; the right button erases."""
        self._last = fraction(event.position(), self.canvas_place())
        self._stroke_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with it."""
        self._pointer = event.position()
        self._stroke_to(event)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End it."""
        self._last = None

    def leaveEvent(self, event: object) -> None:
        """Show no brush."""
        self._pointer = None
        self.update()

    def _stroke_to(self, event: QMouseEvent) -> None:
        if self._last is None:
            return
        here = fraction(event.position(), self.canvas_place())
        erases = self.erases or bool(event.buttons() & Qt.MouseButton.RightButton)
        self.drawing.stroke(self._last, here, self.size_share, self.softness, erases=erases)
        self._last = here
        self._tell()

    def _tinted_mask(self, size: QSize) -> QImage:
        """The mask in its colour at the size that is shown: made when it has changed, not at each live picture."""
        if self._tinted is None or self._tinted.size() != size:
            grey = self.drawing.pixels
            mask = QImage(grey.data, grey.shape[1], grey.shape[0], grey.strides[0], QImage.Format.Format_Indexed8)
            mask.setColorTable(self._tints)
            self._tinted = mask.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied).scaled(size)
        return self._tinted

    def _tell(self) -> None:
        self._tinted = None
        self.update()
        self.changed.emit()


class BrushBar(Bar):
    """A fader of the brush: the panel's own, no parameter."""

    def __init__(self, label: str, value: float, largest: float) -> None:
        super().__init__(label)
        self._largest = largest
        self.setAccessibleName(f"brush {label}")
        self.setValue(round(value / largest * FADER_STEPS))
        self._say()
        self.valueChanged.connect(self._say)

    @property
    def share(self) -> float:
        """What is set, 0..largest."""
        return self.value() / FADER_STEPS * self._largest

    def _say(self) -> None:
        self.words = f"{self.share:.2f}"
        self.update()


class MaskPanel(QFrame):
    """Canvas and tools."""

    def __init__(self, surface: Surface, source: VideoSource, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.setObjectName("card")
        self._surface = surface
        self._source = source
        self._thumbnails = thumbnails
        self.canvas = MaskCanvas()
        self.canvas.changed.connect(self._note_change)
        self._given: tuple[int, Path] | None = None  # the input that shows the mask as it is drawn, and its file
        self.size_bar = BrushBar("brush", BRUSH_SIZE, LARGEST_BRUSH)
        self.soft_bar = BrushBar("soft", BRUSH_SOFTNESS, 1.0)
        self.erase = _button("Erase", "Take away instead of adding; so does the right mouse button")
        self.erase.setCheckable(True)
        self.clear = _button("Clear", "Take everything away")
        self.invert = _button("Invert", "Swap inside and outside")
        self.input = NameChoice()
        for number in range(1, INPUTS + 1):
            self.input.addItem(f"input {number}", number)
        self.input.setCurrentIndex(INPUTS - 1)
        self.input.setAccessibleName("input that shows the mask")
        self.input.setToolTip("The input that shows the mask; what it showed before is replaced")
        self.use = _button(
            "Use as mask", "Save the mask and let this input show it: the stream paints where it is bright"
        )
        self.note = QuietLabel("note")
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.size_bar.valueChanged.connect(self._take_brush)
        self.soft_bar.valueChanged.connect(self._take_brush)
        self.erase.toggled.connect(self._take_brush)
        self.clear.clicked.connect(self.canvas.clear)
        self.invert.clicked.connect(self.canvas.invert)
        self.use.clicked.connect(self._use)
        self.use.setEnabled(source.keep_mask is not None)
        self._lay_out()

    def refresh(self, picture_ratio: float | None) -> None:
        """Show the live picture the mask is drawn over; `picture_ratio` is width by height of the stream's."""
        if picture_ratio is not None:
            self.canvas.take_shape(picture_ratio)
        store = self._surface.controls.store
        number = int(store.get(GUIDE_INPUT_ADDRESS)) or int(store.get(PAINTED_INPUT_ADDRESS))
        is_set = bool(store.get(source_address(number)))
        self.note.show_text(self._describe())
        place = self.canvas.canvas_place()
        self.canvas.show_behind(self._thumbnails.ask("mask", number, place.size()) if is_set else None)

    def _take_brush(self) -> None:
        self.canvas.size_share, self.canvas.softness = self.size_bar.share, self.soft_bar.share
        self.canvas.erases = self.erase.isChecked()
        self.canvas.update()

    def _use(self) -> None:
        self._source.keep_mask(self.canvas.drawing.pixels.copy(), partial(self._give, int(self.input.currentData())))

    def _give(self, number: int, path: Path) -> None:
        """Let an input show the saved mask. Called by the disk thread."""
        values = {source_address(number): str(path), MASK_INPUT_ADDRESS: number}
        self._surface.controls.set_many(values, SOURCE)
        self._given = number, path

    def _note_change(self) -> None:
        self._given = None

    def _describe(self) -> str:
        """Say whether what is drawn is what the stream is masked with."""
        if self._given is not None:
            number, path = self._given
            store = self._surface.controls.store
            if (store.get(MASK_INPUT_ADDRESS), store.get(source_address(number))) == (number, str(path)):
                return f"in use: input {number}"
        return "" if self.canvas.drawing.is_empty else "drawn, not in use"

    def _lay_out(self) -> None:
        brush, hands, use = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for row, widgets in (
            (brush, (self.size_bar, self.soft_bar)),
            (hands, (self.erase, self.clear, self.invert)),
            (use, (self.input, self.use)),
        ):
            row.setSpacing(4)
            for widget in widgets:
                row.addWidget(widget, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        title = QHBoxLayout()
        title.addWidget(heading("Draw a mask"))
        title.addWidget(self.note, 1)
        layout.addLayout(title)
        layout.addWidget(self.canvas, 1)
        for row in (brush, hands, use):
            layout.addLayout(row)


def _button(words: str, help_text: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(help_text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return button
