"""The free deck under the preview: what it is armed with, how much lies ready, and the hands that bring it on air."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.frame_ring import Frame
from vj.app import theme
from vj.app.parameter_widgets import QuietLabel, TriggerButton
from vj.app.surface import Surface
from vj.presets.deck_params import CUT_ADDRESS, DISARM_ADDRESS, FADE_ADDRESS
from vj.presets.decks import DeckStatus, free_deck


@dataclass(frozen=True)
class DeckSource:
    """What the panels read of the decks; all of it answers at once."""

    status: Callable[[], DeckStatus] = lambda: DeckStatus("A")
    frame: Callable[[], Frame | None] = lambda: None  # what lies ready, in motion


def describe_deck(status: DeckStatus) -> tuple[str, str]:
    """One line on the decks, and its colour."""
    free = free_deck(status.on_air)
    if not status.title:
        return f"{status.on_air} on air   {free} free", theme.FAINT
    if status.is_taken:
        return f"{free} goes on air: {status.title}", theme.ACCENT
    if status.problem:
        return f"{free} {status.title}: comes by a hard cut", theme.WARNING
    if status.is_ready:
        return f"{free} ready {status.ready_s:.1f} s: {status.title}", theme.GOOD
    return f"{free} fills {status.ready_s:.1f} s: {status.title}", theme.WARNING


class DeckPanel(QWidget):
    """A line and three buttons."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        self.line = QuietLabel("note")
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.cut = TriggerButton(surface, CUT_ADDRESS, "Cut")
        self.fade = TriggerButton(surface, FADE_ADDRESS, "Fade")
        self.disarm = TriggerButton(surface, DISARM_ADDRESS, "Drop")
        hands = QHBoxLayout()
        hands.setSpacing(3)
        for button in (self.cut, self.fade, self.disarm):
            button.setObjectName("small")
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            hands.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.line)
        layout.addLayout(hands)

    def show_status(self, status: DeckStatus) -> None:
        """Show where the decks stand."""
        text, colour = describe_deck(status)
        self.line.show_text(text, f"color: {colour};")
        self.line.setToolTip(status.problem or text)
