"""Seed and cuts: where a stream begins. Knows the controls; nothing of noise, caches or engines."""

from __future__ import annotations

import random
from collections.abc import Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.parameter import Value
from engine.params import SEED_MAX
from vj.app.parameter_widgets import SOURCE, ParameterNumber, TriggerButton, card
from vj.controls import Controls
from vj.presets.looks import SEED_ADDRESS


class StreamPanel(QWidget):
    """Seed with next and random, hard cut and soft cut."""

    def __init__(self, controls: Controls) -> None:
        super().__init__()
        self._controls = controls
        self._chance = random.Random()
        frame, inside = card("Stream")
        self.seed = ParameterNumber(controls, SEED_ADDRESS)
        self.seed.setPrefix("seed ")
        self.next_seed = _button("Next", self._take_next)
        self.random_seed = _button("Random", self._take_random)
        seeds = QHBoxLayout()
        seeds.addWidget(self.seed, 1)
        seeds.addWidget(self.next_seed)
        seeds.addWidget(self.random_seed)
        self.hard_cut = TriggerButton(controls, "/vj/cut/hard", "Hard cut")
        self.hard_cut.setObjectName("cut")
        self.soft_cut = TriggerButton(controls, "/vj/cut/soft", "Soft cut")
        cuts = QHBoxLayout()
        cuts.addWidget(self.hard_cut, 1)
        cuts.addWidget(self.soft_cut, 1)
        inside.addLayout(seeds)
        inside.addLayout(cuts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def show_values(self, values: Mapping[str, Value]) -> None:
        """Show what the store holds."""
        self.seed.show_value(values[SEED_ADDRESS])

    def _take_next(self) -> None:
        seed = int(self._controls.store.get(SEED_ADDRESS))
        self._controls.set(SEED_ADDRESS, 0 if seed == SEED_MAX else seed + 1, SOURCE)

    def _take_random(self) -> None:
        self._controls.set(SEED_ADDRESS, self._chance.randint(0, SEED_MAX), SOURCE)


def _button(text: str, on_pressed: object) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.pressed.connect(on_pressed)
    return button
