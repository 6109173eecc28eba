"""The row that always stays: preview and programme, output, beat and sound."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vj.app.beat_panel import BeatPanel
from vj.app.deck_panel import DeckPanel
from vj.app.next_panel import NextPanel
from vj.app.output_panel import EffectPanel, OutputPanel
from vj.app.program_panel import ProgramPanel
from vj.app.sound_panel import SoundPanel
from vj.app.sources import PanelSources
from vj.app.surface import Surface

GAP = 6


class LiveRow(QWidget):
    """Everything a performer must see whatever is being edited."""

    def __init__(self, surface: Surface, sources: PanelSources) -> None:
        super().__init__()
        self.next = NextPanel()
        self.deck = DeckPanel(surface)
        self.program = ProgramPanel()
        self.output = OutputPanel(surface)
        self.effects = EffectPanel(surface)
        self.beat = BeatPanel(surface, sources.clock)
        self.sound = SoundPanel(surface, sources.sound)
        coming = QVBoxLayout()
        coming.setSpacing(3)
        coming.addWidget(self.next, 1)
        coming.addWidget(self.deck)
        hand = QVBoxLayout()
        hand.setSpacing(GAP)
        hand.addWidget(self.output, 1)
        hand.addWidget(self.effects)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(coming, 8)
        layout.addWidget(self.program, 11)
        layout.addLayout(hand, 8)
        layout.addWidget(self.beat, 9)
        layout.addWidget(self.sound, 8)
