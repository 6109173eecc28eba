"""Everything a hand may set about one input: where it comes from, how it plays, how it lies, its levels and its key."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from vj.app.addressed import SOURCE
from vj.app.engine_page import widget_for
from vj.app.parameter_widgets import ParameterText, TriggerButton, card
from vj.app.rows import row_of
from vj.app.surface import Surface
from vj.app.video_in.source_choice import FileButton, FormatChoice, SourceChoice
from vj.app.video_in.thumbnails import Thumbnail
from vj.app.video_in.video_source import VideoSource
from vj.inputs.chain.key import hue_of
from vj.inputs.params import input_parameters, restart_address, source_address

PICKED_RADIUS = 2  # pixels of the thumbnail around the click whose mean is the colour
PLAYED = (("play", "loop", "deinterlace"), ("speed", "delay_ms"), ("in_s", "out_s"))
PLACED = (
    ("fit", "flip/horizontal", "flip/vertical"),
    ("crop/left", "crop/right"),
    ("crop/top", "crop/bottom"),
    ("black", "white"),
    ("gamma",),
)
LABELS = {"delay_ms": "delay", "in_s": "in", "out_s": "out", "flip/horizontal": "flip ↔", "flip/vertical": "flip ↕"}
KEYED = (("key/hue", "key/tolerance"), ("key/softness", "key/spill"))


class InputControls(QWidget):
    """The controls of one input, in three cards."""

    def __init__(self, surface: Surface, number: int, source: VideoSource) -> None:
        super().__init__()
        self._surface = surface
        self._start = f"/vj/input/{number}/"
        self.number = number
        self.source = SourceChoice(surface, number, source)
        self.text = ParameterText(surface, source_address(number), "name, file, rtsp://, lavfi:")
        self.format = FormatChoice(surface, number, source)
        self.pick = QPushButton("Pick colour")
        self.pick.setCheckable(True)
        self.pick.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.pick.setToolTip("Then click into the picture of this input: that colour is keyed out")
        self.file = FileButton(surface, source_address(number), "File …")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._source_card(f"Input {number}: source"), 1)
        layout.addWidget(self._card(f"Input {number}: picture", PLACED), 1)
        layout.addWidget(self._key_card(f"Input {number}: key"), 1)
        shown = set(surface.widgets.values())
        left = [one.address for one in input_parameters(number) if one.address not in shown]
        assert not left, f"no widget for {left}"

    def pick_at(self, thumbnail: Thumbnail, at: QPoint) -> bool:
        """Key out the colour at this pixel of a thumbnail, where that was asked for; say whether it was."""
        if not self.pick.isChecked():
            return False
        self.pick.setChecked(False)
        left, top = max(0, at.x() - PICKED_RADIUS), max(0, at.y() - PICKED_RADIUS)
        patch = thumbnail.rgb[top : at.y() + PICKED_RADIUS + 1, left : at.x() + PICKED_RADIUS + 1]
        red, green, blue = patch.reshape(-1, 3).mean(0).round().astype(int).tolist()
        hue = hue_of(red, green, blue)
        self._surface.controls.set_many({f"{self._start}key/hue": hue, f"{self._start}key/mode": "chroma"}, SOURCE)
        return True

    def _source_card(self, title: str) -> QFrame:
        frame, column = card(title)
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(4)
            column.addLayout(row)
        first.addWidget(self.source, 1)
        first.addWidget(self.file)
        second.addWidget(self.text, 3)
        second.addWidget(self.format, 2)
        second.addWidget(TriggerButton(self._surface, restart_address(self.number)), 1)
        self._add_rows(column, PLAYED)
        column.addStretch(1)
        return frame

    def _key_card(self, title: str) -> QFrame:
        frame, column = card(title)
        mode, invert = (self._widget(name) for name in ("key/mode", "key/invert"))
        column.addLayout(row_of([mode, self.pick, invert]))
        self._add_rows(column, KEYED)
        column.addStretch(1)
        return frame

    def _card(self, title: str, rows: Sequence[Sequence[str]]) -> QFrame:
        frame, column = card(title)
        self._add_rows(column, rows)
        column.addStretch(1)
        return frame

    def _add_rows(self, column: QHBoxLayout, rows: Sequence[Sequence[str]]) -> None:
        for names in rows:
            column.addLayout(row_of([self._widget(name) for name in names]))

    def _widget(self, name: str) -> QWidget:
        """The widget of a parameter of this input; what the card's title says is not said again."""
        label = LABELS.get(name, name.removeprefix("key/").replace("/", " "))
        return widget_for(self._surface, f"{self._start}{name}", label)
