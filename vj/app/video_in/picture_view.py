"""Shows a small picture as large as there is room, in the middle of black; a click says where in the picture it was.

Pictures come in the size that is shown, so that drawing costs a copy. Knows nothing of inputs.
"""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QPointF, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from vj.app import theme
from vj.app.video_in.thumbnails import Thumbnail


class PictureView(QWidget):
    """One picture; words in its place while there is none."""

    clicked = pyqtSignal(QPoint)  # in pixels of the thumbnail

    def __init__(self, least: QSize, words: str = "") -> None:
        super().__init__()
        self._least = least
        self._words = words
        self.thumbnail: Thumbnail | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """The least: what is left over comes by stretching."""
        return self._least

    def minimumSizeHint(self) -> QSize:
        """The least that tells something."""
        return self._least

    def show_picture(self, thumbnail: Thumbnail | None, words: str = "") -> None:
        """Show a picture, or these words while there is none; repaints only when it is another."""
        if thumbnail is not self.thumbnail or words != self._words:
            self.thumbnail, self._words = thumbnail, words
            self.update()

    def picture_place(self) -> QRect:
        """Where in the widget the picture lies."""
        size = QSize() if self.thumbnail is None else self.thumbnail.image.size()
        return QRect(QPoint((self.width() - size.width()) // 2, (self.height() - size.height()) // 2), size)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw picture or words."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.WELL))
        if self.thumbnail is not None:
            painter.drawImage(self.picture_place().topLeft(), self.thumbnail.image)
        elif self._words:
            painter.setPen(QColor(theme.FAINT))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(4, 2, -4, -2), flags, self._words)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Say where in the picture a click was."""
        place = self.picture_place()
        at = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and self.thumbnail is not None and place.contains(at):
            self.clicked.emit(at - place.topLeft())
        else:
            event.ignore()


def fraction(at: QPointF, place: QRect) -> tuple[float, float]:
    """Where a point lies in a rectangle, each 0..1 inside."""
    return (at.x() - place.x()) / max(1, place.width()), (at.y() - place.y()) / max(1, place.height())
