"""One input at a glance: its live picture, whether it lives, what it is, and the two things it may be used for."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from vj.app import theme
from vj.app.addressed import SOURCE
from vj.app.parameter_widgets import QuietLabel
from vj.app.surface import Surface
from vj.app.video_in.picture_view import PictureView
from vj.app.video_in.thumbnails import Thumbnails
from vj.inputs.messages import InputState
from vj.inputs.still_params import GUIDE_INPUT_ADDRESS, PAINTED_INPUT_ADDRESS

PAINT_ADDRESS, GUIDE_ADDRESS = "/vj/input/on", "/vj/vace/on"
LEAST_PICTURE = QSize(160, 76)
STALE_S = 1.0  # a picture older than this is no live one, whatever is said
COLOURS = {
    "LIVE": theme.GOOD,
    "HELD": theme.ACCENT,
    "LATE": theme.WARNING,
    "LOST": theme.ALARM,
    "OPENING": theme.WARNING,
    "OFF": theme.FAINT,
}


@dataclass(frozen=True)
class InputView:
    """One word for an input, and what there is to say of it."""

    word: str  # a key of COLOURS
    name: str = ""
    detail: str = ""


def describe_input(state: InputState, age_s: float) -> InputView:
    """Say how an input is: what is told of it, but one whose newest picture is this old may not be called live."""
    word = state.state.upper() if state.state.upper() in COLOURS else "OFF"
    if word == "LIVE" and age_s > STALE_S:
        word = "LATE"
    if state.problem:
        return InputView(word, state.name, state.problem)
    size = f"{state.width}×{state.height}" if state.width else ""
    rate = f"{state.measured_fps:.1f} fps" if state.measured_fps else ""
    told = f"of {state.rate_fps:g}" if rate and state.rate_fps else ""
    place = f"{state.position_s:.1f} of {state.length_s:.1f} s" if state.length_s else ""
    return InputView(word, state.name, "  ".join(part for part in (size, rate, told, place) if part))


class UseButton(QPushButton):
    """Lit while an input is used for one thing; a press gives it that use, another takes it away."""

    def __init__(self, surface: Surface, words: str, number: int, addresses: tuple[str, str]) -> None:
        """`addresses` of the switch and of the number of the input that is used."""
        super().__init__(words)
        self._controls = surface.controls
        self._number = number
        self._switch, self._which = addresses
        self.setCheckable(True)
        self.setObjectName("small")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setToolTip(f"Sets {self._which} to {number} and switches {self._switch} on; pressed again, off.")
        surface.watch(addresses, lambda values: self.setChecked(self._is_used(values)))
        self.setChecked(self._is_used(surface.controls.store.snapshot()))
        self.clicked.connect(self._press)

    def _is_used(self, values: dict[str, object]) -> bool:
        return bool(values[self._switch]) and values[self._which] == self._number

    def _press(self, is_on: bool) -> None:
        wanted = {self._which: self._number, self._switch: True} if is_on else {self._switch: False}
        self._controls.set_many(wanted, SOURCE)


class InputCard(QFrame):
    """A card per input; a click on it chooses the input whose controls are shown."""

    chosen = pyqtSignal(int)

    def __init__(self, surface: Surface, number: int) -> None:
        super().__init__()
        self.setObjectName("card")
        self.number = number
        self._style = ""
        self.picture = PictureView(LEAST_PICTURE)
        self.picture.clicked.connect(lambda at: self.chosen.emit(number))
        self.word = QuietLabel()
        self.word.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.name, self.detail = QuietLabel(), QuietLabel("note")
        for label in (self.name, self.detail):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.paint = UseButton(surface, "Paint over this", number, (PAINT_ADDRESS, PAINTED_INPUT_ADDRESS))
        self.guide = UseButton(surface, "Guide by this", number, (GUIDE_ADDRESS, GUIDE_INPUT_ADDRESS))
        top, uses = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.word)
        top.addWidget(self.name, 1)
        uses.setSpacing(4)
        uses.addWidget(self.paint, 1)
        uses.addWidget(self.guide, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(5, 4, 5, 5)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.detail)
        layout.addLayout(uses)

    def show_chosen(self, is_chosen: bool) -> None:
        """Mark the input whose controls are shown."""
        style = f"QFrame#card {{ border: 2px solid {theme.ACCENT}; }}" if is_chosen else ""
        if style != self._style:
            self._style = style
            self.setStyleSheet(style)

    def refresh(self, thumbnails: Thumbnails, state: InputState, source: str) -> InputView:
        """Show the newest picture and how the input is; return what is told."""
        name = f"card {self.number}"
        thumbnail = thumbnails.ask(name, self.number, self.picture.size()) if source else None
        view = describe_input(state, thumbnails.age_s(name))
        self.picture.show_picture(thumbnail, "no picture yet" if source else "choose a source below")
        self.word.show_text(f"{self.number} {view.word}", theme.badge(COLOURS[view.word], is_filled=view.word != "OFF"))
        self.name.show_fitting(view.name or source)
        self.detail.show_fitting(view.detail, f"color: {theme.WARNING};" if state.problem else "")
        return view

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose this input."""
        self.chosen.emit(self.number)
