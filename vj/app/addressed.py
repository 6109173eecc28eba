"""What every widget of a parameter has in common: its address, its words, and how the address is copied."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QWidget

from engine.parameter import Parameter, Value
from vj.app.surface import Show, Surface
from vj.parameters import find_parameter

SOURCE = "panel"  # who moved a value, in the store's words
GROUPS_WITHOUT_NAME = 3  # parts of an address before its own name: "", "vj", group


def label_of(address: str) -> str:
    """Name a parameter as its address does, without the group: "nudge forward" for /vj/clock/nudge/forward.

    A number right after the group is told by where the widget lies; one inside a name is part of it ("pin 1 x").
    """
    parts = address.split("/")[GROUPS_WITHOUT_NAME:]
    parts = parts[1:] if parts[0].isdigit() else parts
    return " ".join(parts).replace("_", " ")


def tooltip(address: str) -> str:
    """Help, range and address in one bubble."""
    parameter = find_parameter(address)
    span = ""
    if parameter.minimum is not None and parameter.maximum is not None:
        unit = f" {parameter.unit}" if parameter.unit else ""
        span = f"<br>{parameter.minimum:g} to {parameter.maximum:g}{unit}"
    return f"{parameter.help}{span}<br><i>{parameter.address}</i>"


def format_value(parameter: Parameter, value: Value | None) -> str:
    """Write a number with its unit, at the same length wherever it stands in its range."""
    if value is None:
        return ""
    if parameter.kind != "float":
        return str(value)
    unit = f" {parameter.unit}" if parameter.unit and parameter.unit != "x" else parameter.unit
    largest = max(abs(parameter.minimum or 0.0), abs(parameter.maximum or 0.0))
    digits = 2 if largest <= 10 else 1 if largest < 1000 else 0
    ends = (parameter.minimum, parameter.maximum)
    if value not in ends and any(end is not None and round(float(value), digits) == end for end in ends):
        digits += 1  # 0.999 is not 1: it is the difference that matters there
    return f"{float(value):.{digits}f}{unit}"


def is_letter(event: QKeyEvent) -> bool:
    """Say whether a key writes something: such keys play the instrument and search no list."""
    return bool(event.text()) and event.text().isprintable() and event.key() != Qt.Key.Key_Space


class Addressed:
    """Mixed into a widget that stands for one address. Ctrl+click copies it; a right click asks for its menu."""

    address: str
    _surface: Surface

    def stand_for(self: QWidget, surface: Surface, address: str, show: Show | None = None) -> None:
        """Join the surface under an address; `show` is called with each new value."""
        self.address = address
        self._surface = surface
        surface.bind(self, address, show)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_for_menu)

    def is_copying(self, event: QMouseEvent) -> bool:
        """Copy the address when the click asks for it; say whether it did."""
        is_asked = event.button() == Qt.MouseButton.LeftButton and bool(
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
        )
        if is_asked:
            self._surface.copy_address(self.address)
        return is_asked

    def _ask_for_menu(self: QWidget, place: QPoint) -> None:
        self._surface.menu_asked.emit(self.address, self.mapToGlobal(place))
