"""Sending to other programs: a card for each way, with its switch, its settings and what really goes out.

A way this computer cannot go is one line that says why, with what installs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from vj.app import theme
from vj.app.engine_page import widget_for
from vj.app.parameter_widgets import QuietLabel, SwitchButton, heading
from vj.app.surface import Surface
from vj.sharing.kinds import KINDS, Kind, why_not
from vj.sharing.messages import ShareState
from vj.sharing.params import share_address

GAP = 4
COLOURS = {
    "SENDING": theme.GOOD,
    "WAITING": theme.WARNING,
    "OPENING": theme.WARNING,
    "LOST": theme.ALARM,
    "OFF": theme.FAINT,
}
ROWS = (("name", "size", "every"), ("alpha/mode", "alpha/low", "alpha/high"))
LABELS = {"alpha/mode": "alpha", "alpha/low": "dark", "alpha/high": "bright"}
NAME_HINTS = {"camera": "device, or empty"}


@dataclass(frozen=True)
class ShareView:
    """One word for a sender, and what there is to say of it."""

    word: str  # a key of COLOURS
    name: str = ""  # as receivers list it
    detail: str = ""
    is_warning: bool = False


def describe_share(state: ShareState) -> ShareView:
    """Say how a sender is."""
    word = state.state.upper() if state.state.upper() in COLOURS else "OFF"
    if state.problem:
        return ShareView(word, state.name, state.problem, True)
    if word in ("OFF", "OPENING"):
        return ShareView(word, state.name)
    if word == "WAITING":
        return ShareView(word, state.name, "the output gives no pictures", True)
    receivers = "" if state.receivers < 0 else f"{state.receivers} receiver{'' if state.receivers == 1 else 's'}"
    size = f"{state.width}×{state.height}"
    parts = (f"{size} at {state.rate}", f"{state.measured_fps:.1f} fps", receivers, f"{state.sent} sent")
    dropped = f"{state.dropped} dropped" if state.dropped else ""
    detail = "  ".join(filter(None, (*parts, dropped, state.note)))
    return ShareView(word, state.name, detail, bool(state.note))


class ShareCard(QFrame):
    """One way of sending."""

    def __init__(self, surface: Surface, kind: Kind) -> None:
        super().__init__()
        self.setObjectName("card")
        self.kind = kind
        self.reason = why_not(kind)
        self.word = QuietLabel()
        self.word.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.name, self.detail = QuietLabel(), QuietLabel("note")
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 5)
        layout.setSpacing(GAP)
        self.detail.setWordWrap(True)
        self.detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        if self.reason:
            self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)  # to copy the line
            row = QHBoxLayout()
            row.addWidget(heading(kind.label))
            row.addWidget(self.detail, 1)
            layout.addLayout(row)
            return
        switch = SwitchButton(surface, share_address(kind, "on"), kind.label)
        switch.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        layout.addLayout(_row((switch, 0), (self.word, 0), (self.name, 1)))
        for names in ROWS if kind.has_alpha else ROWS[:1]:
            layout.addLayout(_row(*((_control(surface, kind, name), 1) for name in names)))
        layout.addWidget(self.detail)

    def show_state(self, state: ShareState) -> None:
        """Show how it is now."""
        if self.reason:
            self.detail.show_text(self.reason)
            return
        view = describe_share(state)
        self.word.show_text(view.word, theme.badge(COLOURS[view.word], is_filled=view.word != "OFF"))
        self.name.show_fitting(view.name)
        self.detail.show_text(view.detail, f"color: {theme.WARNING};" if view.is_warning else "")


class SharePanel(QWidget):
    """All ways. Belongs to the GUI thread."""

    def __init__(self, surface: Surface, states: Callable[[], Mapping[str, ShareState]]) -> None:
        """`states` says how each kind stands, by its word; it may be asked at any rate."""
        super().__init__()
        self._states = states
        self.cards = [ShareCard(surface, kind) for kind in KINDS]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for card in sorted(self.cards, key=lambda card: bool(card.reason)):
            layout.addWidget(card)
        layout.addStretch(1)

    def refresh(self) -> None:
        """Show how everything stands. Called some times a second while it is seen."""
        states = self._states()
        for card in self.cards:
            card.show_state(states.get(card.kind.word, ShareState()))


def _control(surface: Surface, kind: Kind, name: str) -> QWidget:
    label = NAME_HINTS.get(kind.word, name) if name == "name" else LABELS.get(name, name)
    return widget_for(surface, share_address(kind, name), label)


def _row(*widgets: tuple[QWidget, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GAP)
    for widget, share in widgets:
        row.addWidget(widget, share)
    return row
