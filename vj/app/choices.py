"""Lists to choose one thing from. Letters typed there play the instrument, and a passing wheel switches nothing."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent
from PyQt6.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyleOptionComboBox, QStylePainter

from engine.parameter import Value
from vj.app import theme
from vj.app.addressed import SOURCE, Addressed, is_letter, label_of, tooltip
from vj.app.surface import Surface
from vj.parameters import find_parameter

ARROW_WIDTH = 12  # of the mark that there are more
PADDING = 6


class NameChoice(QComboBox):
    """A list of names that may be long: as much of the chosen one as there is room for, all of it in the bubble."""

    def __init__(self) -> None:
        QComboBox.__init__(self)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def show_value(self, value: Value) -> None:
        """Show the name that stands for a text; one that is not listed, as it is."""
        index = self.findData(str(value))
        if index < 0:
            self.addItem(str(value), str(value))
            index = self.count() - 1
        self.setCurrentIndex(index)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, the name and a mark that there are more."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        inside = self.rect().adjusted(PADDING, 0, -PADDING, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.FAINT))
        painter.drawText(inside, Qt.AlignmentFlag.AlignRight | middle, "▾")
        room = inside.adjusted(0, 0, -ARROW_WIDTH, 0)
        painter.setPen(QColor(theme.TEXT))
        name = painter.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, name)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass: a wheel on its way elsewhere must not switch anything."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep what walks the list; pass letters on."""
        if is_letter(event):
            event.ignore()
        else:
            QComboBox.keyPressEvent(self, event)


class ParameterChoice(Addressed, QComboBox):
    """One of a few words, with its name before it. Letters typed here play the instrument, not the list."""

    def __init__(self, surface: Surface, address: str, label: str | None = None) -> None:
        QComboBox.__init__(self)
        self.label = label_of(address) if label is None else label
        self.parameter = find_parameter(address)
        self.addItems(self.parameter.choices)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tooltip(address))
        self.setAccessibleName(self.label or label_of(address))
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.activated.connect(lambda index: surface.controls.set(address, self.parameter.choices[index], SOURCE))

    def show_value(self, value: Value) -> None:
        """Show what the store holds."""
        index = self.parameter.choices.index(str(value))
        if index != self.currentIndex():
            self.setCurrentIndex(index)

    def minimumSizeHint(self) -> QSize:
        """Never too narrow for its name and its longest word."""
        metrics = QFontMetrics(self.font())
        longest = max(metrics.horizontalAdvance(choice) for choice in self.parameter.choices)
        name = metrics.horizontalAdvance(self.label) + PADDING if self.label else 0
        return QSize(name + longest + 2 * PADDING + ARROW_WIDTH, metrics.height() + 8)

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        return self.minimumSizeHint()

    def shown_texts(self) -> list[tuple[str, QRect, Qt.AlignmentFlag]]:
        """What is written, where, and at which side."""
        inside = self.rect().adjusted(PADDING, 0, -PADDING, 0)
        word = inside.adjusted(0, 0, -ARROW_WIDTH, 0)
        return [
            (self.label, inside, Qt.AlignmentFlag.AlignLeft),
            (self.currentText(), word, Qt.AlignmentFlag.AlignRight),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the name faint, the word bright, and a mark that there are more."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        (name, place, side), (word, word_place, word_side) = self.shown_texts()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.FAINT))
        painter.drawText(place, side | middle, name)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | middle, "▾")
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(word_place, word_side | middle, word)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass: a wheel on its way elsewhere must not switch anything."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep what walks the list; pass letters on."""
        if is_letter(event):
            event.ignore()
        else:
            QComboBox.keyPressEvent(self, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the list, or copy the address."""
        if not self.is_copying(event):
            QComboBox.mousePressEvent(self, event)
