"""What the model makes of the inputs: painting over one (V2V), guiding by one and by references (VACE), and where."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from vj.app.engine_page import widget_for
from vj.app.parameter_widgets import card
from vj.app.rows import row_of
from vj.app.surface import Surface
from vj.app.video_in.mask_panel import MaskPanel
from vj.app.video_in.reference_pad import reference_card
from vj.app.video_in.thumbnails import Thumbnails
from vj.app.video_in.video_source import VideoSource

GAP = 6
PAINTED = (
    ("/vj/input/on", "/vj/input/use"),
    ("/vj/input/noise", "/vj/input/motion"),
    ("/vj/input/recipe", "/vj/input/steps"),
)
GUIDED = (
    ("/vj/vace/on", "/vj/vace/input"),
    ("/vj/vace/scale", "/vj/vace/scale_end"),
    ("/vj/vace/control", "/vj/vace/detail"),
    ("/vj/vace/steps",),
)
LABELS = {
    "/vj/input/on": "paint over",
    "/vj/input/use": "input",
    "/vj/vace/on": "guide",
    "/vj/vace/mask/input": "input",
    "/vj/vace/mask/from": "by",
    "/vj/vace/mask/invert": "invert",
}
MASKED = (("/vj/vace/mask/input", "/vj/vace/mask/from", "/vj/vace/mask/invert"),)


class VideoInPage(QWidget):
    """V2V, VACE and mask on the left, references in the middle, drawing on the right."""

    def __init__(self, surface: Surface, source: VideoSource, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        left = QVBoxLayout()
        left.setSpacing(GAP)
        for title, rows in (
            ("Paint over an input (V2V)", PAINTED),
            ("Guide by an input (VACE)", GUIDED),
            ("Paint only inside a mask (VACE)", MASKED),
        ):
            left.addWidget(_rows_card(surface, title, rows))
        left.addStretch(1)
        references, self.references = reference_card(surface)
        self.mask = MaskPanel(surface, source, thumbnails)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(left, 3)
        layout.addWidget(references, 4)
        layout.addWidget(self.mask, 4)

    def refresh(self, picture_ratio: float | None) -> None:
        """Show what moves; `picture_ratio` is width by height of the generated picture, None while there is none."""
        for pad in self.references:
            pad.refresh(self._thumbnails)
        self.mask.refresh(picture_ratio)


def _rows_card(surface: Surface, title: str, rows: Sequence[Sequence[str]]) -> QFrame:
    frame, column = card(title)
    for addresses in rows:
        column.addLayout(row_of([widget_for(surface, address, LABELS.get(address)) for address in addresses]))
    return frame
