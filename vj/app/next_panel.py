"""What comes next, in the preview's place: the pad, look or cue that is armed or on its way, and when it lands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from engine.frame_ring import Frame
from vj.app import theme
from vj.app.parameter_widgets import QuietLabel
from vj.app.program_panel import Picture
from vj.output.params import OutputParams


@dataclass(frozen=True)
class Coming:
    """Something on its way to the audience."""

    stage: str  # ARMED, MOVING, GENERATING or NEXT
    name: str  # "pad 3", "look deep sea"
    detail: str = ""  # its words
    lands: str = ""  # "2.3 beats", "0.8 s"
    share: float | None = None  # of the way done, 0..1


NOTHING = Coming("NEXT", "nothing armed")
NOW_LINES = 3
COLOURS = {"ARMED": theme.WARNING, "MOVING": theme.ACCENT, "GENERATING": theme.ACCENT, "NEXT": theme.RAISED}


class Way(QWidget):
    """How much of the way is done, as a bar."""

    def __init__(self) -> None:
        super().__init__()
        self._share: float | None = None
        self.setFixedHeight(8)

    def show_share(self, share: float | None) -> None:
        """Show a share 0..1; None = no bar."""
        rounded = None if share is None else round(share, 2)
        if rounded != self._share:
            self._share = rounded
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground and share."""
        if self._share is None:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.WELL))
        painter.fillRect(QRectF(0, 0, self.width() * self._share, self.height()), QColor(theme.ACCENT))
        painter.end()


class NextPanel(QFrame):
    """The preview: what is prepared by name and time, and the picture of the free deck while it is armed."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._stage = ""
        self._length = ""
        self.stage = QuietLabel("large")
        self.stage.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stage.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.name = QuietLabel("large")
        self.words = QuietLabel("note")
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.lands = QuietLabel("huge")
        self.lands.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.lands.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.picture = Picture()
        self.picture.hide()
        self.way = Way()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 6)
        layout.setSpacing(3)
        layout.addWidget(self.stage)
        inside = QVBoxLayout()
        inside.setContentsMargins(7, 0, 7, 0)
        inside.setSpacing(2)
        for part, stretch in ((self.name, 0), (self.words, 1), (self.picture, 3), (self.lands, 0), (self.way, 0)):
            inside.addWidget(part, stretch)
        self.now = [QuietLabel("note") for _ in range(NOW_LINES)]
        for line in self.now:
            line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            inside.addWidget(line)
        layout.addLayout(inside, 1)

    def show_coming(self, coming: Coming) -> None:
        """Show what lands first."""
        style = None
        if coming.stage != self._stage:
            self._stage = coming.stage
            colour = COLOURS[coming.stage]
            words = theme.FAINT if coming.stage == "NEXT" else theme.ON_COLOUR
            style = f"background: {colour}; color: {words}; border-radius: 4px;"
        self.stage.show_text("PREVIEW" if coming is NOTHING else coming.stage, style)
        self.name.show_fitting(coming.name)
        self.words.show_text(self._cut(coming.detail))
        self.lands.show_fitting(coming.lands)
        self.way.show_share(coming.share)

    def show_deck(self, frame: Frame | None) -> None:
        """Show what lies ready on the free deck in place of words; None = nothing does."""
        is_there = frame is not None
        if self.picture.isHidden() == is_there:
            self.picture.setVisible(is_there)
            for part in (self.words, self.lands, *self.now):  # the picture needs their room
                part.setVisible(not is_there)
        self.picture.show_frame(frame, OutputParams())

    def show_now(self, prompts: Sequence[tuple[int, float, str]]) -> None:
        """Show what is heard now: pad, weight and words, the heaviest first."""
        for k, line in enumerate(self.now):
            if k < len(prompts):
                pad, weight, words = prompts[k]
                line.show_fitting(f"now {pad}  {weight:.0%}  {words}")
            else:
                line.show_fitting("")

    def _cut(self, text: str) -> str:
        """As many words as there is room for."""
        metrics = self.words.fontMetrics()
        room = max(1, self.words.height() // max(1, metrics.lineSpacing())) * self.words.width()
        characters = max(8, int(room / max(1, metrics.averageCharWidth()) * 0.8))
        return text if len(text) <= characters else text[: characters - 1] + "…"


def first_of(coming: Sequence[Coming]) -> Coming:
    """What the panel shows of several: they come in order of landing."""
    return coming[0] if coming else NOTHING
