"""The inputs: all of them at a glance with live pictures, and the controls of the one that was chosen."""

from __future__ import annotations

from PyQt6.QtCore import QPoint
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from engine.video_in.params import INPUTS
from vj.app.surface import Surface
from vj.app.video_in.input_card import InputCard
from vj.app.video_in.input_controls import InputControls
from vj.app.video_in.thumbnails import Thumbnails
from vj.app.video_in.video_source import VideoSource
from vj.inputs.messages import InputState
from vj.inputs.params import source_address

GAP = 6


class InputsPage(QWidget):
    """Four cards above, controls below."""

    def __init__(self, surface: Surface, source: VideoSource, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._controls = surface.controls
        self._source = source
        self._thumbnails = thumbnails
        self.cards = [InputCard(surface, number) for number in range(1, INPUTS + 1)]
        self.inputs = [InputControls(surface, number, source) for number in range(1, INPUTS + 1)]
        self._stack = QStackedWidget()
        for controls in self.inputs:
            self._stack.addWidget(controls)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        for card in self.cards:
            row.addWidget(card, 1)
            card.chosen.connect(self.choose)
            card.picture.clicked.connect(lambda at, number=card.number: self._pick(number, at))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(row, 1)
        layout.addWidget(self._stack)
        for number in range(1, INPUTS + 1):
            surface.follow(source_address(number), lambda source: self._source.note_source(str(source)))
        self.choose(1)

    def choose(self, number: int) -> None:
        """Show the controls of an input, 1.. ."""
        self._stack.setCurrentIndex(number - 1)
        for card in self.cards:
            card.show_chosen(card.number == number)

    def refresh(self) -> None:
        """Show how the inputs are now. Called ten times a second while the page is seen."""
        states = self._source.states()
        for card in self.cards:
            source = str(self._controls.store.get(source_address(card.number)))
            state = states[card.number - 1] if card.number <= len(states) else InputState()
            card.refresh(self._thumbnails, state, source)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for devices before anybody asks."""
        self._source.listed()
        super().showEvent(event)

    def _pick(self, number: int, at: QPoint) -> None:
        thumbnail = self.cards[number - 1].picture.thumbnail
        if thumbnail is not None:
            self.inputs[number - 1].pick_at(thumbnail, at)
