"""Cues and timeline: what played last, what GO plays next, and the timeline's transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from vj.app import theme
from vj.app.parameter_widgets import QuietLabel, TriggerButton, heading
from vj.app.surface import Surface


@dataclass(frozen=True)
class CueView:
    """Where the cue list stands."""

    count: int = 0
    current: int = 0  # 1..; 0 = none yet
    next: int = 1  # one past the last = the list is over
    current_name: str = ""
    next_name: str = ""
    follows: str = ""  # "in 3.2 s" when the next one plays by itself


@dataclass(frozen=True)
class TimelineView:
    """Where the timeline stands."""

    name: str = ""  # empty = none is loaded
    position: str = ""
    is_playing: bool = False


@dataclass(frozen=True)
class CueSource:
    """What the panel reads; all of it answers at once."""

    cues: Callable[[], CueView] = CueView
    timeline: Callable[[], TimelineView] = TimelineView


class CuePanel(QFrame):
    """GO and BACK, large; play, stop and rewind."""

    def __init__(self, surface: Surface, source: CueSource) -> None:
        super().__init__()
        self.setObjectName("card")
        self._source = source
        self.back = TriggerButton(surface, "/vj/cue/back", "BACK")
        self.go = TriggerButton(surface, "/vj/cue/go", "CUE GO")
        self.go.setObjectName("tall")
        self.back.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.go.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.now, self.next = QuietLabel("note"), QuietLabel()
        self.transport = [
            TriggerButton(surface, "/vj/timeline/play", "▶"),
            TriggerButton(surface, "/vj/timeline/stop", "■"),
            TriggerButton(surface, "/vj/timeline/rewind", "|◀"),
        ]
        self.position = QuietLabel("note")
        for label in (self.now, self.next, self.position):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for button in self.transport:
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        cues, timeline = QHBoxLayout(), QHBoxLayout()
        for row in (cues, timeline):
            row.setSpacing(4)
        cues.addWidget(self.back)
        cues.addWidget(self.go, 1)
        for button in self.transport:
            timeline.addWidget(button)
        timeline.addWidget(self.position, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        layout.addWidget(heading("Cues and timeline"))
        layout.addLayout(cues, 1)
        layout.addWidget(self.next)
        layout.addWidget(self.now)
        layout.addLayout(timeline)

    def refresh(self) -> None:
        """Show where both stand."""
        cues, timeline = self._source.cues(), self._source.timeline()
        self.next.show_fitting(describe_next(cues))
        self.now.show_fitting(f"now {cues.current}  {cues.current_name}" if cues.current else "no cue played yet")
        words = f"{timeline.name}  {timeline.position}" if timeline.name else "no timeline"
        self.position.show_fitting(words, f"color: {theme.GOOD if timeline.is_playing else theme.FAINT};")


def describe_next(cues: CueView) -> str:
    """Name the cue that GO plays."""
    if not cues.count:
        return "the cue list is empty"
    if cues.next > cues.count:
        return "the cue list is over"
    return f"next {cues.next}  {cues.next_name}  {cues.follows}".strip()
