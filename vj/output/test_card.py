"""Test card: what a display is, readable from the back of the room, and whether its picture lies as it should.

Drawn once for each size by QPainter into memory. Needs a Qt application; knows nothing of GL.
"""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter, QPen

BACKGROUND, GRID, LINE = QColor(24, 26, 32), QColor(70, 76, 90), QColor(255, 255, 255)
BARS = ("#bfbfbf", "#bfbf00", "#00bfbf", "#00bf00", "#bf00bf", "#bf0000", "#0000bf")  # 75 % bars, brightest first
GREYS = 11  # steps from black to white: the ends show what is crushed
GRID_FIELDS = 9  # of the shorter side: squares, so that a bent picture shows
SIDE_MARKS = ("TOP", "BOTTOM", "LEFT", "RIGHT")


def draw_test_card(name: str, width: int, height: int, rate_hz: float) -> np.ndarray:
    """Draw a card of width x height pixels: (H, W, 4) uint8, top row first. `rate_hz` 0 = unknown."""
    image = QImage(width, height, QImage.Format.Format_RGBA8888)
    image.fill(BACKGROUND)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    unit = min(width, height) / GRID_FIELDS
    _draw_grid(painter, width, height, unit)
    _draw_bars(painter, width, height, unit)
    _draw_words(painter, name, f"{width} x {height}", f"{rate_hz:.2f} Hz" if rate_hz > 0 else "rate unknown", unit)
    painter.end()
    rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8)
    return rows.reshape(height, image.bytesPerLine())[:, : width * 4].reshape(height, width, 4).copy()


def _draw_grid(painter: QPainter, width: int, height: int, unit: float) -> None:
    painter.setPen(QPen(GRID, 1.0))
    for k in range(-int(width / unit) - 1, int(width / unit) + 2):
        x = width / 2 + k * unit + unit / 2
        painter.drawLine(QPointF(x, 0), QPointF(x, height))
    for k in range(-GRID_FIELDS, GRID_FIELDS + 1):
        y = height / 2 + k * unit + unit / 2
        painter.drawLine(QPointF(0, y), QPointF(width, y))
    painter.setPen(QPen(LINE, 2.0))
    radius = min(width, height) / 2 - 1
    painter.drawEllipse(QPointF(width / 2, height / 2), radius, radius)
    painter.setPen(QPen(GRID, 1.0))
    painter.drawLine(QPointF(0, 0), QPointF(width, height))
    painter.drawLine(QPointF(0, height), QPointF(width, 0))
    # the outermost pixels: what of this frame is missing, the display cuts away
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for inset, colour in ((0, LINE), (2, QColor(255, 80, 40))):
        painter.setPen(QPen(colour, 1.0))
        painter.drawRect(inset, inset, width - 1 - 2 * inset, height - 1 - 2 * inset)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def _draw_bars(painter: QPainter, width: int, height: int, unit: float) -> None:
    across = unit * 5
    left = (width - across) / 2
    for number, colour in enumerate(BARS):
        step = across / len(BARS)
        painter.fillRect(QRectF(left + number * step, height / 2 + unit * 1.5, step, unit), QColor(colour))
    for number in range(GREYS):
        step, value = across / GREYS, round(255 * number / (GREYS - 1))
        painter.fillRect(
            QRectF(left + number * step, height / 2 + unit * 2.5, step, unit * 0.7), QColor(value, value, value)
        )


def _draw_words(painter: QPainter, name: str, size: str, rate: str, unit: float) -> None:
    width, height = painter.device().width(), painter.device().height()
    painter.setPen(LINE)
    for text, centre, tall in ((name, -1.75, 1.25), (size, -0.35, 0.8), (rate, 0.65, 0.8)):
        _write(
            painter,
            text,
            QRectF(unit * 0.6, height / 2 + (centre - 0.7) * unit, width - unit * 1.2, unit * 1.4),
            tall * unit,
        )
    small = unit * 0.36
    for text, x, y in zip(
        SIDE_MARKS,
        (width / 2, width / 2, unit, width - unit),
        (unit * 0.5, height - unit * 0.4, height / 2, height / 2),
        strict=True,
    ):
        _write(painter, text, QRectF(x - unit, y - unit / 2, unit * 2, unit), small)


def _write(painter: QPainter, text: str, room: QRectF, tall: float) -> None:
    """Write in the middle of `room`, smaller where that is too narrow, on a ground of its own."""
    font = QFont("DejaVu Sans")
    font.setBold(True)
    font.setPixelSize(max(6, round(tall)))
    painter.setFont(font)
    broad = painter.fontMetrics().horizontalAdvance(text)
    if broad > room.width():
        font.setPixelSize(max(6, int(tall * room.width() / broad)))
        painter.setFont(font)
    written = painter.boundingRect(room, Qt.AlignmentFlag.AlignCenter, text)
    painter.fillRect(written.adjusted(-4, 0, 4, 0), BACKGROUND)
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
