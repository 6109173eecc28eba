"""Widgets built from the parameter table: range, choices and help come from the parameter, nothing is written twice.

They report what a hand does to the controls and show what the store holds; they hold no value of their own.
"""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QDoubleSpinBox,
    QFrame,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
)

from engine.parameter import Value
from vj.app.addressed import SOURCE, Addressed, is_letter, label_of, tooltip
from vj.app.surface import Surface
from vj.parameters import find_parameter

NUMBER_SIGNS = "0123456789.,-"
LONGEST_TEXT = 2000  # characters; far beyond what any text encoder reads


def card(title: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A raised surface with a small title, and the layout to fill."""
    frame = QFrame()
    frame.setObjectName("card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(7, 4, 7, 6)
    layout.setSpacing(4)
    if title:
        layout.addWidget(heading(title))
    return frame, layout


def heading(title: str) -> QLabel:
    """A small title over a group."""
    label = QLabel(title)
    label.setObjectName("title")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return label


class QuietLabel(QLabel):
    """A label that repaints only when its text or style really changed: it is set 30 times a second."""

    def __init__(self, name: str = "", text: str = "") -> None:
        super().__init__(text)
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._style = ""
        self._whole = text

    def show_text(self, text: str, style: str | None = None) -> None:
        """Show a text, and from now on in a style sheet."""
        if text != self.text():
            self.setText(text)
        if style is not None and style != self._style:
            self._style = style
            self.setStyleSheet(style)

    def show_fitting(self, text: str, style: str | None = None) -> None:
        """Show as much of a text as there is room for; all of it is in the bubble."""
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
        room = self.contentsRect().width() - 2 * self.margin() - 2
        shown = QFontMetrics(self.font()).elidedText(text, Qt.TextElideMode.ElideRight, room)
        self.show_text(shown, style)


class ParameterNumber(Addressed, QSpinBox):
    """A whole number, sent when the hand is done with it."""

    def __init__(self, surface: Surface, address: str, prefix: str = "") -> None:
        QSpinBox.__init__(self)
        parameter = find_parameter(address)
        assert parameter.minimum is not None and parameter.maximum is not None, f"{address} has no range"
        self.setRange(int(parameter.minimum), int(parameter.maximum))
        self.setKeyboardTracking(False)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setPrefix(prefix)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setToolTip(tooltip(address))
        self.setAccessibleName(label_of(address))
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.valueChanged.connect(lambda value: surface.controls.set(address, value, SOURCE))
        self.lineEdit().returnPressed.connect(lambda: self.window().setFocus())

    def show_value(self, value: Value) -> None:
        """Show what the store holds, unless somebody types here."""
        if int(value) == self.value() or (self.hasFocus() and self.lineEdit().isModified()):
            return
        was_blocked = self.blockSignals(True)
        self.setValue(int(value))
        self.blockSignals(was_blocked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take what numbers are made of; pass letters on."""
        if is_letter(event) and event.text() not in NUMBER_SIGNS:
            event.ignore()
        else:
            QSpinBox.keyPressEvent(self, event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only what has been chosen: a wheel that passes over a seed must not cost it."""
        if self.hasFocus():
            QSpinBox.wheelEvent(self, event)
        else:
            event.ignore()


class ParameterDecimal(Addressed, QDoubleSpinBox):
    """A number with decimals to read and to type, large."""

    def __init__(self, surface: Surface, address: str, decimals: int) -> None:
        QDoubleSpinBox.__init__(self)
        parameter = find_parameter(address)
        assert parameter.minimum is not None and parameter.maximum is not None, f"{address} has no range"
        self.setDecimals(decimals)
        self.setRange(parameter.minimum, parameter.maximum)
        self.setKeyboardTracking(False)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setToolTip(tooltip(address))
        self.setAccessibleName(label_of(address))
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.valueChanged.connect(lambda value: surface.controls.set(address, value, SOURCE))
        self.lineEdit().returnPressed.connect(lambda: self.window().setFocus())

    def show_value(self, value: Value) -> None:
        """Show what the store holds, unless somebody types here."""
        shown = round(float(value), self.decimals())
        if shown == self.value() or (self.hasFocus() and self.lineEdit().isModified()):
            return
        was_blocked = self.blockSignals(True)
        self.setValue(shown)
        self.blockSignals(was_blocked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take what numbers are made of; pass letters on."""
        if is_letter(event) and event.text() not in NUMBER_SIGNS:
            event.ignore()
        else:
            QDoubleSpinBox.keyPressEvent(self, event)


class TriggerButton(Addressed, QPushButton):
    """A command at a press."""

    def __init__(self, surface: Surface, address: str, text: str | None = None) -> None:
        QPushButton.__init__(self, label_of(address) if text is None else text)
        self.setToolTip(tooltip(address))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the instrument
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.stand_for(surface, address)
        self.pressed.connect(lambda: surface.controls.trigger(address, SOURCE))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press, or copy the address."""
        if not self.is_copying(event):
            QPushButton.mousePressEvent(self, event)


class SwitchButton(Addressed, QPushButton):
    """A switch that stays down while it is on."""

    def __init__(self, surface: Surface, address: str, text: str | None = None) -> None:
        QPushButton.__init__(self, label_of(address) if text is None else text)
        self.setCheckable(True)
        self.setToolTip(tooltip(address))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.toggled.connect(lambda is_on: surface.controls.set(address, is_on, SOURCE))

    def show_value(self, value: Value) -> None:
        """Show what the store holds."""
        if bool(value) != self.isChecked():
            was_blocked = self.blockSignals(True)
            self.setChecked(bool(value))
            self.blockSignals(was_blocked)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Switch, or copy the address."""
        if not self.is_copying(event):
            QPushButton.mousePressEvent(self, event)


class ParameterText(Addressed, QLineEdit):
    """A line of words, sent by Enter; Esc gives up what was typed."""

    def __init__(self, surface: Surface, address: str, hint: str = "") -> None:
        QLineEdit.__init__(self)
        self._held = ""
        self.setMaxLength(LONGEST_TEXT)
        self.setPlaceholderText(hint or label_of(address))
        self.setToolTip(tooltip(address))
        self.setAccessibleName(label_of(address))
        self.stand_for(surface, address, self.show_value)
        self.show_value(surface.controls.store.get(address))
        self.returnPressed.connect(self._commit)

    def show_value(self, value: Value) -> None:
        """Show what the store holds; a text being typed is not disturbed."""
        self._held = str(value)
        if not (self.hasFocus() and self.isModified()) and self.text() != self._held:
            self.setText(self._held)
            self.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Watch for Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            QLineEdit.keyPressEvent(self, event)

    def _commit(self) -> None:
        self._held = str(self._surface.controls.set(self.address, self.text(), SOURCE))
        self._leave()

    def _leave(self) -> None:
        self.setText(self._held)
        self.setModified(False)
        self.window().setFocus()
