"""Widgets built from the parameter table: range, unit and help come from the parameter, nothing is written twice.

They report what a hand does through a callback and show what the store holds; they hold no value of their own.
"""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSlider, QSpinBox, QVBoxLayout, QWidget

from engine.parameter import Parameter, Value
from vj.controls import Controls
from vj.parameters import find_parameter

FADER_STEPS = 1000
SOURCE = "panel"  # who moved a value, in the store's words


def tooltip(parameter: Parameter) -> str:
    """Help, range and address in one bubble."""
    span = ""
    if parameter.minimum is not None and parameter.maximum is not None:
        unit = f" {parameter.unit}" if parameter.unit else ""
        span = f"<br>{parameter.minimum:g} to {parameter.maximum:g}{unit}"
    return f"{parameter.help}{span}<br><i>{parameter.address}</i>"


def card(title: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A raised surface with a small title, and the layout to fill."""
    frame = QFrame()
    frame.setObjectName("card")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(14, 10, 14, 12)
    layout.setSpacing(8)
    if title:
        label = QLabel(title.upper())
        label.setObjectName("title")
        layout.addWidget(label)
    return frame, layout


class QuietLabel(QLabel):
    """A label that repaints only when its text or style really changed: it is set 30 times a second."""

    def __init__(self, name: str = "", text: str = "") -> None:
        super().__init__(text)
        self.setObjectName(name)
        self._style = ""

    def show_text(self, text: str, style: str | None = None) -> None:
        """Show a text, and from now on in a style sheet."""
        if text != self.text():
            self.setText(text)
        if style is not None and style != self._style:
            self._style = style
            self.setStyleSheet(style)


class Fader(QSlider):
    """A horizontal fader from 0 to 1 that tells moves of a hand apart from moves of the store."""

    def __init__(self, on_moved: Callable[[float], None]) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, FADER_STEPS)
        self.setPageStep(FADER_STEPS // 20)
        self.setSingleStep(FADER_STEPS // 100)
        self.setMinimumHeight(36)
        self._on_moved = on_moved
        self.valueChanged.connect(self._tell)

    def show_position(self, position: float) -> None:
        """Show what the store holds; a hand on the fader is not disturbed."""
        value = round(position * FADER_STEPS)
        if value != self.value() and not self.isSliderDown():
            was_blocked = self.blockSignals(True)
            self.setValue(value)
            self.blockSignals(was_blocked)
            self.update()

    def _tell(self, value: int) -> None:
        self._on_moved(value / FADER_STEPS)


class ParameterFader(QWidget):
    """A continuous parameter: fader and value."""

    def __init__(self, controls: Controls, address: str) -> None:
        super().__init__()
        self.setObjectName("row")
        self.address = address
        self._controls = controls
        self._parameter = find_parameter(address)
        self.fader = Fader(self._move)
        self._value = QuietLabel("value")
        self._value.setMinimumWidth(58)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fader, 1)
        layout.addWidget(self._value)
        self.setToolTip(tooltip(self._parameter))
        self.show_value(controls.store.get(address))

    def show_value(self, value: Value) -> None:
        """Show what the store holds, in native units."""
        self.fader.show_position(self._parameter.to_normalised(float(value)))
        unit = f" {self._parameter.unit}" if self._parameter.unit else ""
        self._value.show_text(f"{value:.2f}{unit}")

    def _move(self, position: float) -> None:
        self.show_value(self._controls.set_normalised(self.address, position, SOURCE))


class ParameterNumber(QSpinBox):
    """A whole number, sent when the hand is done with it."""

    def __init__(self, controls: Controls, address: str) -> None:
        super().__init__()
        self._controls = controls
        self._address = address
        parameter = find_parameter(address)
        assert parameter.minimum is not None and parameter.maximum is not None, f"{address} has no range"
        self.setRange(int(parameter.minimum), int(parameter.maximum))
        self.setKeyboardTracking(False)
        self.setToolTip(tooltip(parameter))
        self.show_value(controls.store.get(address))
        self.valueChanged.connect(self._move)

    def show_value(self, value: Value) -> None:
        """Show what the store holds, unless somebody types here."""
        if int(value) == self.value() or (self.hasFocus() and self.lineEdit().isModified()):
            return
        was_blocked = self.blockSignals(True)
        self.setValue(int(value))
        self.blockSignals(was_blocked)

    def _move(self, value: int) -> None:
        self._controls.set(self._address, value, SOURCE)


class TriggerButton(QPushButton):
    """A command at a press."""

    def __init__(self, controls: Controls, address: str, text: str) -> None:
        super().__init__(text)
        self.setToolTip(tooltip(find_parameter(address)))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the space bar belongs to texts
        self.pressed.connect(lambda: controls.trigger(address, SOURCE))


class SwitchButton(QPushButton):
    """A switch that stays down while it is on."""

    def __init__(self, controls: Controls, address: str, text: str) -> None:
        super().__init__(text)
        self.setCheckable(True)
        self.setToolTip(tooltip(find_parameter(address)))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.toggled.connect(lambda is_on: controls.set(address, is_on, SOURCE))

    def show_value(self, value: Value) -> None:
        """Show what the store holds."""
        if bool(value) != self.isChecked():
            was_blocked = self.blockSignals(True)
            self.setChecked(bool(value))
            self.blockSignals(was_blocked)
            self.update()
