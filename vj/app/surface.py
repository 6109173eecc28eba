"""Every widget that shows or moves a parameter, by address: what changes is shown there, and only there.

Knows addresses and widgets; nothing of panels, controllers or of what a parameter means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from PyQt6.QtCore import QObject, QPoint, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QWidget

from engine.parameter import Value
from vj.controls import Controls
from vj.fader_positions import position_of

Show = Callable[[Value], None]


class Waiting(Protocol):
    """Where a control waits to be taken up (see `vj.controllers.takeover.Ghost`)."""

    position: float
    direction: int


class ShowsTravel(Protocol):
    """A widget with a travel: it can mark other places on it than the value's."""

    def show_modulated(self, position: float | None) -> None:
        """Mark where modulators carry the value, 0..1; None = nowhere else."""
        ...

    def show_ghost(self, position: float | None, direction: int) -> None:
        """Mark where a control waits, 0..1, and which way it has to go; None = none waits."""
        ...


class Surface(QObject):
    """Widgets by address. Belongs to the GUI thread."""

    said = pyqtSignal(str)  # a sentence for the performer
    menu_asked = pyqtSignal(str, QPoint)  # address, place on the screen

    def __init__(self, controls: Controls) -> None:
        super().__init__()
        self.controls = controls
        self._shows: dict[str, list[Show]] = {}
        self._widgets: dict[QWidget, str] = {}
        self._travels: dict[str, list[ShowsTravel]] = {}
        self._watchers: list[tuple[frozenset[str], Callable[[Mapping[str, Value]], None]]] = []
        self._values: Mapping[str, Value] = {}
        self._version: int | None = None
        self._modulated: dict[str, float] = {}
        self._ghosts: dict[str, tuple[float, int]] = {}

    def bind(self, widget: QWidget, address: str, show: Show | None = None) -> None:
        """Let a widget stand for an address, and show its values."""
        self._widgets[widget] = address
        if show is not None:
            self._shows.setdefault(address, []).append(show)

    def follow(self, address: str, show: Show) -> None:
        """Call `show` with each new value of an address."""
        self._shows.setdefault(address, []).append(show)

    def bind_travel(self, address: str, widget: ShowsTravel) -> None:
        """Let a widget mark modulated values and waiting controls."""
        self._travels.setdefault(address, []).append(widget)

    def watch(self, addresses: Iterable[str], show: Callable[[Mapping[str, Value]], None]) -> None:
        """Call `show` with all values whenever one of these has changed."""
        self._watchers.append((frozenset(addresses), show))

    @property
    def widgets(self) -> Mapping[QWidget, str]:
        """Every widget that stands for an address."""
        return self._widgets

    @property
    def version(self) -> int:
        """Version of the values shown."""
        return self._version or 0

    def refresh(self) -> Mapping[str, Value]:
        """Show what has changed in the store since the last call; return what it holds now."""
        version, values = self.controls.store.versioned_snapshot()
        if version == self._version:
            return self._values
        old = self._values
        changed = {a for a, value in values.items() if a not in old or old[a] != value}
        self._version, self._values = version, values
        for address in changed:
            for show in self._shows.get(address, ()):
                show(values[address])
        for addresses, watcher in self._watchers:
            if not addresses.isdisjoint(changed):
                watcher(values)
        return values

    def show_modulated(self, effective: Mapping[str, Value]) -> None:
        """Mark where modulators carry values, beside the values the hand has set."""
        parameters = self.controls.store.parameters
        moved = {}
        if effective is not self._values:
            for address in self._travels:
                value = effective.get(address)
                if value is not None and value != self._values.get(address):
                    moved[address] = round(position_of(parameters[address], value), 3)
        for address in self._modulated.keys() | moved.keys():
            if self._modulated.get(address) != moved.get(address):
                for widget in self._travels[address]:
                    widget.show_modulated(moved.get(address))
        self._modulated = moved

    def show_ghosts(self, ghosts: Mapping[str, Waiting]) -> None:
        """Mark where controls wait to be taken up."""
        waiting = {a: (round(g.position, 3), g.direction) for a, g in ghosts.items() if a in self._travels}
        for address in self._ghosts.keys() | waiting.keys():
            if self._ghosts.get(address) != waiting.get(address):
                position, direction = waiting.get(address, (None, 0))
                for widget in self._travels[address]:
                    widget.show_ghost(position, direction)
        self._ghosts = waiting

    def copy_address(self, address: str) -> None:
        """Put an OSC address on the clipboard and say so."""
        QGuiApplication.clipboard().setText(address)
        self.said.emit(f"copied {address}")
