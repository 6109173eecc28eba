"""The page that is played: pads, stream, transition, model, looks, cues."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vj.app.cue_panel import CuePanel
from vj.app.look_panel import LookPanel
from vj.app.prompt_panel import PromptPanel
from vj.app.sources import PanelSources
from vj.app.stream_panel import ModelPanel, StreamPanel, TransitionPanel
from vj.app.surface import Surface

GAP = 6


class PlayPage(QWidget):
    """Everything for the hands, without scrolling."""

    def __init__(self, surface: Surface, sources: PanelSources) -> None:
        super().__init__()
        self.prompts = PromptPanel(surface, sources.prompt_help)
        self.stream = StreamPanel(surface)
        self.transition = TransitionPanel(surface)
        self.model = ModelPanel(surface)
        self.looks = LookPanel(surface, sources.looks)
        self.cues = CuePanel(surface, sources.cues)
        middle, right = QVBoxLayout(), QVBoxLayout()
        for column in (middle, right):
            column.setSpacing(GAP)
        middle.addWidget(self.stream, 5)
        middle.addWidget(self.transition, 3)
        middle.addWidget(self.model, 4)
        right.addWidget(self.looks, 1)
        right.addWidget(self.cues)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.prompts, 14)
        layout.addLayout(middle, 6)
        layout.addLayout(right, 6)
