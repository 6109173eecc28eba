"""Recording: its switch and settings, the replay, stills, and what is really written.

Shows what the recorder says; asks nothing of disks itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from vj.app import theme
from vj.app.durations import clock_text
from vj.app.engine_page import widget_for
from vj.app.parameter_widgets import QuietLabel, SwitchButton, TriggerButton
from vj.app.rows import fill, row_of
from vj.app.surface import Surface
from vj.recording.desk import RecordStatus
from vj.recording.params import ON_ADDRESS, SAVE_REPLAY_ADDRESS, STILL_ADDRESS

SCARCE_BYTES = 2e9
MB, GB = 1e6, 1e9


@dataclass(frozen=True)
class RecordView:
    """One word for the recorder, and what there is to say."""

    word: str
    colour: str = theme.FAINT
    file: str = ""
    detail: str = ""
    is_warning: bool = False
    replay: str = "off"


def describe_recording(status: RecordStatus) -> RecordView:
    """Say how the recorder is."""
    state = status.recorder
    replay = f"{state.replay_s:.0f} s ready" if state.replay_s else "off"
    if state.saved_file:
        replay = f"{replay}  saved: {state.saved_file}"
    trouble = status.problem or state.problem
    if not status.is_on:
        last = f"last: {state.file}" if state.file else ""
        return RecordView("OFF", theme.FAINT, last, trouble, bool(trouble), replay)
    if not state.take:
        return RecordView("OPENING", theme.WARNING, "", trouble or "the encoder opens", bool(trouble), replay)
    dropped = state.dropped + status.missed
    parts = (
        clock_text(state.length_s),
        size_text(state.size_bytes),
        f"{dropped} dropped",
        f"{state.width}×{state.height} {state.coder}{' on the card' if state.is_hardware else ''}",
        f"{size_text(state.free_bytes)} free" if state.free_bytes else "",
        "" if state.is_heard else "no sound comes in",
    )
    is_scarce = 0 < state.free_bytes < SCARCE_BYTES
    return RecordView(
        "REC", theme.ALARM, state.file, "  ".join(filter(None, parts)), bool(dropped) or is_scarce, replay
    )


def size_text(size_bytes: float) -> str:
    """Bytes in words."""
    return f"{size_bytes / GB:.1f} GB" if size_bytes >= GB else f"{size_bytes / MB:.1f} MB"


class RecordPanel(QWidget):
    """Belongs to the GUI thread."""

    def __init__(self, surface: Surface, status: Callable[[], RecordStatus]) -> None:
        """`status` says how the recorder stands; it may be asked at any rate."""
        super().__init__()
        self._status = status
        self.word, self.file, self.detail = QuietLabel(), QuietLabel(), QuietLabel("note")
        self.replay = QuietLabel("note")
        self.word.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        for label in (self.file, self.detail, self.replay):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        on = SwitchButton(surface, ON_ADDRESS, "Record")
        on.setObjectName("tall")
        still = TriggerButton(surface, STILL_ADDRESS, "Still")
        still.setObjectName("tall")
        settings = [widget_for(surface, f"/vj/record/{name}") for name in ("codec", "rate")]
        settings.append(SwitchButton(surface, "/vj/record/sound", "with sound"))
        recording, replay = QFrame(), QFrame()
        folder = widget_for(surface, "/vj/record/folder")
        lines = fill(recording, "Recording", ((on, still), settings, (folder,)))
        first = row_of((self.word, self.file))
        lines.addLayout(first)
        lines.addWidget(self.detail)
        armed = SwitchButton(surface, "/vj/record/replay/on", "armed")
        length = widget_for(surface, "/vj/record/replay/length")
        save = TriggerButton(surface, SAVE_REPLAY_ADDRESS, "Save replay")
        fill(replay, "Replay", ((armed, length, save),)).addWidget(self.replay)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for frame in (recording, replay):
            frame.setObjectName("card")
            layout.addWidget(frame)
        layout.addStretch(1)

    def refresh(self) -> None:
        """Show how it stands. Called some times a second while it is seen."""
        view = describe_recording(self._status())
        self.word.show_text(view.word, theme.badge(view.colour, is_filled=view.word != "OFF"))
        self.file.show_fitting(view.file)
        self.detail.show_fitting(view.detail, f"color: {theme.WARNING if view.is_warning else theme.FAINT};")
        self.replay.show_fitting(view.replay)
