"""The address OSC is heard at, large, and the latest messages: in green, or in red with what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QFrame, QListWidgetItem, QSizePolicy, QVBoxLayout

from vj.app import theme
from vj.app.lists import QuietList
from vj.app.parameter_widgets import QuietLabel, heading
from vj.app.status_strip import Ports
from vj.controllers.osc.input import OscStatus

KEPT_LINES = 50
OscMessages = Callable[[], OscStatus | None]
NONE = OscStatus(0, 0, 0, 0, "", "")


class OscNews:
    """The newest OSC message, and when it was first seen. Polled by one thread."""

    def __init__(self, messages: OscMessages | None) -> None:
        self._messages = messages
        self._seen = NONE
        self.line: tuple[str, str] | None = None  # words and colour
        self.at_ns = 0

    def poll(self) -> None:
        """Look for a new one."""
        status = self._messages() if self._messages is not None else None
        if status is not None and status != self._seen:
            news = describe_news(self._seen, status)
            self._seen = status
            if news is not None:
                self.line, self.at_ns = news, time.monotonic_ns()


class OscMonitor(QFrame):
    """Polled: of several messages between two polls the last is shown, with how many there were."""

    def __init__(self, messages: OscMessages | None) -> None:
        super().__init__()
        self.setObjectName("card")
        self._messages = messages
        self._seen = NONE
        self.address = QuietLabel("large")
        self.counts = QuietLabel("note")
        for label in (self.address, self.counts):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.lines = QuietList()
        self.lines.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(7, 4, 7, 6)
        layout.setSpacing(4)
        layout.addWidget(heading("OSC heard at"))
        layout.addWidget(self.address)
        layout.addWidget(self.counts)
        layout.addWidget(self.lines, 1)

    def refresh(self, ports: Ports) -> None:
        """Show what has come since the last poll."""
        self.address.show_fitting(ports.osc or "–")
        status = self._messages() if self._messages is not None else None
        if status is None or status == self._seen:
            return
        seen, self._seen = self._seen, status
        wrong = status.malformed + status.unknown + status.refused
        self.counts.show_fitting(f"{status.messages} messages, {wrong} not understood")
        if line := describe_news(seen, status):
            self._append(*line)

    def _append(self, words: str, colour: str) -> None:
        item = QListWidgetItem(words)
        item.setForeground(QColor(colour))
        self.lines.insertItem(0, item)
        if self.lines.count() > KEPT_LINES:
            self.lines.takeItem(KEPT_LINES)


def describe_news(before: OscStatus, now: OscStatus) -> tuple[str, str] | None:
    """One line for what came between two polls, and its colour."""
    wrong = sum((now.malformed, now.unknown, now.refused)) - sum((before.malformed, before.unknown, before.refused))
    heard = now.messages - before.messages
    if wrong > 0:
        return f"{now.last_problem}{_times(wrong)}", theme.ALARM
    if heard > 0:
        return f"{now.last_message}{_times(heard)}", theme.GOOD
    return None


def _times(count: int) -> str:
    return f"   ×{count}" if count > 1 else ""
