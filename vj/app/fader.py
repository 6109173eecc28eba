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
from vj.controls import CROSSFADED_WEIGHTS
from vj.fader_positions import position_of, value_at
from vj.parameters import find_parameter

FADER_STEPS = 1000
FINE = 10  # a drag with Shift held moves this many times less
WHEEL_STEPS = 20  # per notch
PADDING = 6
MARK_WIDTH = 2.0
GHOST_SIZE = 5.0


class Bar(QAbstractSlider):
    """What every fader looks like and how a hand moves it. Arrows, Page and wheel step; Shift drags finely."""

    def __init__(self, label: str) -> None:
        QAbstractSlider.__init__(self)
        self.label = label
        self.words = ""
        self.zero = 0.0  # where the fill begins, 0..1
        self.modulated: float | None = None
        self.ghost: tuple[float, int] | None = None
        self._dragged_from: tuple[float, int] | None = None
        self.setRange(0, FADER_STEPS)
        self.setPageStep(FADER_STEPS // 10)
        self.setSingleStep(FADER_STEPS // 100)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def longest_words(self) -> list[str]:
        """What may have to be written at the right end."""
        return ["1.00"]

    def sizeHint(self) -> QSize:
        """As high as a button, as wide as its words."""
        metrics = QFontMetrics(self.font())
        value = max(metrics.horizontalAdvance(words) for words in self.longest_words())
        gap = PADDING if self.label else 0
        return QSize(metrics.horizontalAdvance(self.label) + value + 2 * PADDING + gap, metrics.height() + 8)

    def minimumSizeHint(self) -> QSize:
        """Never too narrow for its words."""
        return self.sizeHint()

    def shown_texts(self) -> list[tuple[str, QRect, Qt.AlignmentFlag]]:
        """What is written, where, and at which side."""
        inside = self.rect().adjusted(PADDING, 0, -PADDING, 0)
        return [(self.label, inside, Qt.AlignmentFlag.AlignLeft), (self.words, inside, Qt.AlignmentFlag.AlignRight)]

    def show_position(self, position: float, words: str) -> None:
        """Show a position 0..1 and its words; a hand on the fader is not disturbed."""
        step = round(position * FADER_STEPS)
        if words == self.words and step == self.value():
            return
        self.words = words
        if step != self.value() and not self.isSliderDown():
            was_blocked = self.blockSignals(True)
            self.setValue(step)
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

    def reset(self) -> None:
        """Return to the default; asked for by a double click."""

    def refuses(self, event: QMouseEvent) -> bool:
        """Say whether a press is no move of the fader."""
        return event.button() != Qt.MouseButton.LeftButton

    def let_go(self) -> None:
        """Show again what holds; asked for when a hand leaves the fader."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, fill, words and marks."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(theme.ACCENT if self.hasFocus() else theme.EDGE))
        painter.setBrush(QColor(theme.WELL))
        painter.drawRoundedRect(ground, 4, 4)
        start, end = self._x(self.zero), self._x(self.value() / FADER_STEPS)
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
        if self.refuses(event):
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
            self.let_go()
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Return to the default."""
        if not self.refuses(event):
            self.reset()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step by notches."""
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
        self.setValue(self.value() + round(notches * max(WHEEL_STEPS, self.singleStep())))
        event.accept()

    def _span(self) -> float:
        return self.width() - 2.0 * MARK_WIDTH

    def _x(self, position: float) -> float:
        return MARK_WIDTH + position * self._span()

    def _value_at(self, x: float) -> int:
        return round((x - MARK_WIDTH) / max(1.0, self._span()) * FADER_STEPS)


class Fader(Addressed, Bar):
    """One continuous or counted parameter."""

    def __init__(self, surface: Surface, address: str, label: str | None = None) -> None:
        self.parameter = find_parameter(address)
        Bar.__init__(self, label_of(address) if label is None else label)
        self._controls = surface.controls
        low, high = self.parameter.minimum, self.parameter.maximum
        assert low is not None and high is not None, f"{address} has no range"
        if low < 0.0 < high:  # a fader to both sides is filled from the middle
            self.zero = position_of(self.parameter, 0)
        if self.parameter.kind == "int":
            self.setSingleStep(max(1, round(FADER_STEPS / (high - low))))
        self.setToolTip(tooltip(address))
        self.setAccessibleName(self.label or label_of(address))
        self.stand_for(surface, address, self.show_value)
        surface.bind_travel(address, self)
        self.show_value(surface.controls.store.get(address))
        self.valueChanged.connect(self._move)

    def longest_words(self) -> list[str]:
        """The ends of the range and the default."""
        p = self.parameter
        return [format_value(p, value) for value in (p.minimum, p.maximum, p.default)]

    def show_value(self, value: Value) -> None:
        """Show what the store holds, in native units; a hand on the fader is not disturbed."""
        self.show_position(position_of(self.parameter, value), format_value(self.parameter, value))

    def reset(self) -> None:
        """Return to the parameter's default."""
        self._controls.set(self.address, self.parameter.default, SOURCE)
        self.let_go()

    def let_go(self) -> None:
        """Show what the store holds."""
        self.show_value(self._controls.store.get(self.address))

    def refuses(self, event: QMouseEvent) -> bool:
        """Copy the address with Ctrl; else take the left button."""
        return self.is_copying(event) or Bar.refuses(self, event)

    def _move(self, step: int) -> None:
        held = self._controls.set(self.address, value_at(self.parameter, step / FADER_STEPS), SOURCE)
        self.words = format_value(self.parameter, held)
        self.update()


class Crossfader(Bar):
    """Shares the blend between pads 1 and 2; their weights stay the only truth."""

    def __init__(self, surface: Surface) -> None:
        Bar.__init__(self, "pad 1")
        self._controls = surface.controls
        self.words = "pad 2"
        self.setAccessibleName("crossfader")
        self.setToolTip(
            "Crossfader: moves the weights of pads 1 and 2.<br><i>" + "<br>".join(CROSSFADED_WEIGHTS) + "</i>"
        )
        surface.watch(CROSSFADED_WEIGHTS, lambda values: self.let_go())
        self.let_go()
        self.valueChanged.connect(lambda step: self._controls.crossfade(step / FADER_STEPS, SOURCE))

    def longest_words(self) -> list[str]:
        """The name of the other end."""
        return [self.words]

    def let_go(self) -> None:
        """Read the position back from the weights."""
        self.show_position(self._controls.crossfader_position(), self.words)
