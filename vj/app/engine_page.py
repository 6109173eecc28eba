"""What is set before a show rather than during it: LoRAs, model, control video, input, what looks leave alone.

One widget per parameter of the groups that no other page holds, built from the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vj.app.addressed import label_of
from vj.app.choices import ParameterChoice
from vj.app.engine_card import EngineCard
from vj.app.fader import Fader
from vj.app.lora_panel import LoraPanel
from vj.app.parameter_widgets import ParameterNumber, ParameterText, SwitchButton, TriggerButton, heading
from vj.app.surface import Surface
from vj.parameters import find_parameter

COLUMNS = 2
SWITCHES_IN_ROW = 6
LORAS_AS_ROWS, ENGINE_AS_ROWS = 7, 3  # of the small groups, which have a frame each


class EnginePage(QWidget):
    """LoRA slots and the model; small groups below them."""

    def __init__(self, surface: Surface, shown_elsewhere: frozenset[str]) -> None:
        """`shown_elsewhere` are the addresses other pages hold; everything else of the table is here."""
        super().__init__()
        self.loras, self.engine = LoraPanel(surface), EngineCard(surface)
        shown = shown_elsewhere.union(surface.widgets.values())
        rest = [address for address in surface.controls.store.parameters if address not in shown]
        groups: dict[str, list[str]] = {}
        for address in rest:
            groups.setdefault(address.split("/")[2], []).append(address)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        columns = (QVBoxLayout(), QVBoxLayout())
        for column in columns:
            column.setSpacing(6)
            layout.addLayout(column, 1)
        columns[0].addWidget(self.loras)
        columns[1].addWidget(self.engine)
        rows = [LORAS_AS_ROWS, ENGINE_AS_ROWS]
        for group, addresses in groups.items():
            shorter = rows.index(min(rows))
            columns[shorter].addWidget(_group(surface, group, addresses))
            rows[shorter] += 1 if len(addresses) <= COLUMNS else 1 + -(-len(addresses) // SWITCHES_IN_ROW)
        for column in columns:
            column.addStretch(1)


def _group(surface: Surface, group: str, addresses: Sequence[str]) -> QFrame:
    card = QFrame()
    card.setObjectName("card")
    widgets = [widget_for(surface, address) for address in addresses]
    title = heading(TITLES.get(group, group.capitalize()))
    is_small = len(widgets) <= COLUMNS
    is_all_switches = all(isinstance(widget, SwitchButton) for widget in widgets)
    columns = SWITCHES_IN_ROW if is_all_switches and not is_small else COLUMNS
    grid = QGridLayout()
    grid.setSpacing(4)
    for k, widget in enumerate(widgets):
        grid.addWidget(widget, k // columns, k % columns)
    layout = QHBoxLayout(card) if is_small else QVBoxLayout(card)
    layout.setContentsMargins(7, 4, 7, 5)
    layout.setSpacing(4)
    layout.addWidget(title, 1)
    layout.addLayout(grid, 4)
    return card


TITLES = {
    "lock": "Looks and cues leave these groups alone",
    "vace": "Control video",
    "cue": "Cue list",
    "audio": "Sound",
    "osc": "OSC",
}


def widget_for(surface: Surface, address: str, label: str | None = None) -> QWidget:
    """The widget that suits a parameter's kind; `label` None = as the address names it."""
    parameter = find_parameter(address)
    if parameter.kind == "float":
        return Fader(surface, address, label)
    if parameter.kind == "int":
        return ParameterNumber(surface, address, f"{label or label_of(address)} ")
    if parameter.kind == "choice":
        return ParameterChoice(surface, address, label)
    if parameter.kind == "switch":
        return SwitchButton(surface, address, label)
    if parameter.kind == "trigger":
        return TriggerButton(surface, address, label)
    return ParameterText(surface, address, label or parameter.help)
