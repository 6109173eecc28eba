"""A fader that says all in one bar: name, value, where modulators carry it, where a controller waits.

Holds no value of its own; what a hand does goes to the controls, what the store holds comes back.
"""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPolygonF, QWheelEvent
from PyQt6.QtWidgets import QAbstractSlider, QSizePolicy

from engine.parameter import Value
from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, format_value, label_of, tooltip
from vj.app.surface import Surface
from vj.parameters import find_parameter

FADER_STEPS = 1000
FINE = 10  # a drag with Shift held moves this many times less
WHEEL_STEPS = 20  # per notch
PADDING = 6
MARK_WIDTH = 2.0
GHOST_SIZE = 5.0


class Fader(Addressed, QAbstractSlider):
    """One continuous or counted parameter. Arrows, Page and wheel step; Shift drags finely; double click resets."""

    def __init__(self, surface: Surface, address: str, label: str | None = None) -> None:
        QAbstractSlider.__init__(self)
        self.parameter = find_parameter(address)
        self.label = label_of(address) if label is None else label
        self.modulated: float | None = None
        self.ghost: tuple[float, int] | None = None
        self._controls = surface.controls
        self._dragged_from: tuple[float, int] | None = None
        self._words = ""
        self.setRange(0, FADER_STEPS)
        self.setPageStep(FADER_STEPS // 10)
        self.setSingleStep(self._step())
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tooltip(address))
        self.setAccessibleName(self.label or label_of(address))
        self.stand_for(surface, address, self.show_value)
        surface.bind_travel(address, self)
        self.show_value(surface.controls.store.get(address))
        self.valueChanged.connect(self._move)

    def sizeHint(self) -> QSize:
        """As high as a button of the same words."""
        metrics = QFontMetrics(self.font())
        return QSize(self.needed_width(), metrics.height() + 8)

    def minimumSizeHint(self) -> QSize:
        """Never too narrow for its words."""
        return self.sizeHint()

    def needed_width(self) -> int:
        """Pixels the name and the longest value take."""
        metrics, p = QFontMetrics(self.font()), self.parameter
        ends = (format_value(p, end) for end in (p.minimum, p.maximum, p.default))
        value = max(metrics.horizontalAdvance(words) for words in ends)
        gap = PADDING if self.label else 0
        return metrics.horizontalAdvance(self.label) + value + 2 * PADDING + gap

    def shown_texts(self) -> list[tuple[str, QRect, Qt.AlignmentFlag]]:
        """What is written, where, and at which side."""
        inside = self.rect().adjusted(PADDING, 0, -PADDING, 0)
        return [(self.label, inside, Qt.AlignmentFlag.AlignLeft), (self._words, inside, Qt.AlignmentFlag.AlignRight)]

    def show_value(self, value: Value) -> None:
        """Show what the store holds, in native units; a hand on the fader is not disturbed."""
        position = round(self.parameter.to_normalised(float(value)) * FADER_STEPS)
        words = format_value(self.parameter, value)
        if words == self._words and position == self.value():
            return
        self._words = words
        if position != self.value() and not self.isSliderDown():
            was_blocked = self.blockSignals(True)
            self.setValue(position)
            self.blockSignals(was_blocked)
        self.update()

    def show_modulated(self, position: float | None) -> None:
        """Mark where modulators carry the value."""
        self.modulated = position
        self.update()

    def show_ghost(self, position: float | None, direction: int) -> None:
        """Mark where a controller waits to take the value up."""
        self.ghost = None if position is None else (position, direction)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, fill, words and marks."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(theme.ACCENT if self.hasFocus() else theme.EDGE))
        painter.setBrush(QColor(theme.WELL))
        painter.drawRoundedRect(ground, 4, 4)
        start, end = self._x(self._zero()), self._x(self.value() / FADER_STEPS)
        is_held = self.isSliderDown() or self.hasFocus()
        filled = QRectF(QPointF(min(start, end), 2), QPointF(max(start, end), self.height() - 2))
        painter.fillRect(filled, QColor(theme.FILL_STRONG if is_held else theme.FILL))
        painter.fillRect(QRectF(end - 1, 2, MARK_WIDTH, self.height() - 4), QColor(theme.ACCENT))
        if self.modulated is not None:
            place = QRectF(self._x(self.modulated) - 1, 1, MARK_WIDTH, self.height() - 2)
            painter.fillRect(place, QColor(theme.MODULATED))
        painter.setPen(QColor(theme.TEXT))
        for words, place, side in self.shown_texts():
            painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, words)
        if self.ghost is not None:
            self._draw_ghost(painter, *self.ghost)
        painter.end()

    def _draw_ghost(self, painter: QPainter, position: float, direction: int) -> None:
        """A hollow handle where the control is, and an arrow the way the hand has to go."""
        x, middle = self._x(position), self.height() / 2
        painter.setPen(QColor(theme.GHOST))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(x - 2, 2, 4, self.height() - 4))
        painter.setBrush(QColor(theme.GHOST))
        tip = x + direction * (2 + 2 * GHOST_SIZE)
        foot = x + direction * (2 + GHOST_SIZE)
        painter.drawPolygon(
            QPolygonF([QPointF(tip, middle), QPointF(foot, middle - GHOST_SIZE), QPointF(foot, middle + GHOST_SIZE)])
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the value to the pointer; with Shift, hold it and drag finely."""
        if self.is_copying(event) or event.button() != Qt.MouseButton.LeftButton:
            return
        self.setSliderDown(True)
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.setValue(self._value_at(event.position().x()))
        self._dragged_from = (event.position().x(), self.value())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if self._dragged_from is None:
            return
        x, value = self._dragged_from
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            moved = (event.position().x() - x) / max(1.0, self._span()) * FADER_STEPS / FINE
            self.setValue(round(value + moved))
        else:
            self.setValue(self._value_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; the store's value is shown again."""
        if self._dragged_from is not None:
            self._dragged_from = None
            self.setSliderDown(False)
            self.show_value(self._controls.store.get(self.address))
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Return to the default."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._controls.set(self.address, self.parameter.default, SOURCE)
            self.show_value(self._controls.store.get(self.address))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step by notches."""
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
        self.setValue(self.value() + round(notches * max(WHEEL_STEPS, self.singleStep())))
        event.accept()

    def _step(self) -> int:
        if self.parameter.kind == "int":
            assert self.parameter.minimum is not None and self.parameter.maximum is not None
            return max(1, round(FADER_STEPS / (self.parameter.maximum - self.parameter.minimum)))
        return FADER_STEPS // 100

    def _zero(self) -> float:
        """Where the fill begins: at nothing, which of a fader to both sides is inside."""
        low, high = self.parameter.minimum, self.parameter.maximum
        return self.parameter.to_normalised(0.0) if low is not None and high is not None and low < 0 < high else 0.0

    def _span(self) -> float:
        return self.width() - 2.0 * MARK_WIDTH

    def _x(self, position: float) -> float:
        return MARK_WIDTH + position * self._span()

    def _value_at(self, x: float) -> int:
        return round((x - MARK_WIDTH) / max(1.0, self._span()) * FADER_STEPS)

    def _move(self, value: int) -> None:
        position = value / FADER_STEPS
        if self.parameter.kind == "float":
            held = self._controls.set_normalised(self.address, position, SOURCE)
        else:
            held = self._controls.set(self.address, self.parameter.from_normalised(position), SOURCE)
        self._words = format_value(self.parameter, held)
        self.update()
