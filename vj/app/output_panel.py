"""What acts on the output at the next display refresh: level, blackout, effects; and where the output is shown.

Asks for displays through signals; knows nothing of the output window itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from engine.parameter import Value, parameters_of
from vj.app.addressed import label_of
from vj.app.choices import NameChoice
from vj.app.fader import Fader
from vj.app.parameter_widgets import SwitchButton, TriggerButton
from vj.app.rows import row_of
from vj.app.surface import Surface
from vj.effects.params import START as EFFECT_START
from vj.output.displays import describe
from vj.output.params import OUTPUT_PARAMETERS, RESET_ADDRESS, OutputParams
from vj.output.placing_params import ADDRESS_START, PLACING_PARAMETERS

LEVEL_ADDRESS = "/vj/output/level"
BLACKOUT_ADDRESS = "/vj/output/blackout"
PANIC_ADDRESSES = tuple(
    parameter.address
    for parameter in OUTPUT_PARAMETERS
    if parameter.kind == "switch"
    and parameter.address.startswith(ADDRESS_START)
    and parameter.address != BLACKOUT_ADDRESS
    and parameter not in PLACING_PARAMETERS
)
"""Switches that put something else in the stream's place."""


class OutputPanel(QFrame):
    """Level, blackout, display and fullscreen."""

    fullscreen_asked = pyqtSignal(int, bool)  # display, counted from 0; on or off

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.setObjectName("card")
        self.level = Fader(surface, LEVEL_ADDRESS)
        self.blackout = SwitchButton(surface, BLACKOUT_ADDRESS, "BLACKOUT  B")
        self.blackout.setObjectName("blackout")
        self.blackout.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.displays = NameChoice()
        self.displays.setToolTip("Display the output covers when it is fullscreen")
        self.fullscreen = QPushButton("Fullscreen")
        self.fullscreen.setCheckable(True)
        self.fullscreen.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fullscreen.setToolTip(
            "Cover the chosen display. If it is the only one, Tab brings the panels back and hides them again."
        )
        self.fullscreen.clicked.connect(self._ask)
        self.displays.activated.connect(self._ask)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.displays, 1)
        row.addWidget(self.fullscreen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        layout.addWidget(self.level)
        layout.addWidget(self.blackout, 1)
        self.panic = panic_row(surface)
        layout.addLayout(row_of(self.panic))
        layout.addLayout(row)
        application = QGuiApplication.instance()
        application.screenAdded.connect(self._list_displays)
        application.screenRemoved.connect(self._list_displays)
        self._list_displays()

    def show_output(self, display: int, is_fullscreen: bool) -> None:
        """Show where the output really is."""
        self.fullscreen.setChecked(is_fullscreen)
        if display >= 0:
            self.displays.setCurrentIndex(display)

    def _list_displays(self) -> None:
        chosen = max(0, self.displays.currentIndex())
        self.displays.clear()
        self.displays.addItems([describe(screen) for screen in QGuiApplication.screens()])
        self.displays.setCurrentIndex(min(chosen, self.displays.count() - 1))

    def _ask(self) -> None:
        self.fullscreen_asked.emit(self.displays.currentIndex(), self.fullscreen.isChecked())


def panic_row(surface: Surface) -> list[QPushButton]:
    """A button per switch of the output beside blackout (freeze, fallback), and the one that lets go of all."""
    switches = [SwitchButton(surface, address, label_of(address).upper()) for address in PANIC_ADDRESSES]
    return [*switches, TriggerButton(surface, RESET_ADDRESS, label_of(RESET_ADDRESS).upper())]


def held_switch(values: Mapping[str, Value]) -> str:
    """Name of the first of those switches that is on; empty = none."""
    return next((label_of(address) for address in PANIC_ADDRESSES if values[address]), "")


class EffectPanel(QFrame):
    """What stands for no file: colours and zoom, in two columns."""

    COLUMNS = 2

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.setObjectName("card")
        own = (p for p in parameters_of(OutputParams) if p.kind == "float" and p.address.startswith(EFFECT_START))
        self.faders = [Fader(surface, parameter.address) for parameter in own]
        grid = QGridLayout(self)
        grid.setContentsMargins(7, 4, 7, 6)
        grid.setSpacing(4)
        for k, fader in enumerate(self.faders):
            grid.addWidget(fader, k // self.COLUMNS, k % self.COLUMNS)
