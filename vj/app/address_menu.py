"""What a right click on any parameter's widget offers: its address, its mapping, its default."""

from __future__ import annotations

from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QMenu, QWidget

from vj.app.addressed import SOURCE
from vj.app.map_mode import MapMode
from vj.app.surface import Surface
from vj.controllers.learn import Learn
from vj.parameters import find_parameter


class AddressMenu:
    """Belongs to the GUI thread. Opens beside the pointer and never blocks: nothing waits for its answer."""

    def __init__(self, window: QWidget, surface: Surface, learn: Learn | None, map_mode: MapMode) -> None:
        self._window = window
        self._surface = surface
        self._learn = learn
        self._map_mode = map_mode
        surface.menu_asked.connect(self.open)

    def open(self, address: str, place: QPoint) -> QMenu:
        """Show the menu for an address; returns it."""
        menu = QMenu(self._window)
        menu.addAction(f"Copy {address}", lambda: self._surface.copy_address(address))
        learn = self._learn
        if learn is not None:
            menu.addAction("Map: move a control", lambda: self._map_mode.enter(address))
            for assignment in learn.assignments(address):
                menu.addAction(f"Remove {assignment.device} {assignment.control}", lambda a=assignment: learn.remove(a))
        parameter = find_parameter(address)
        if parameter.kind not in ("text", "trigger"):
            controls = self._surface.controls
            menu.addAction(f"Default: {parameter.default}", lambda: controls.set(address, parameter.default, SOURCE))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)
        return menu
