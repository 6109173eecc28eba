"""What the model makes of the inputs: painting over one (V2V), guiding by one and by references (VACE), and where."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.messages import GeneratorStatus
from vj.app.engine_page import widget_for
from vj.app.parameter_widgets import QuietLabel, card
from vj.app.rows import row_of
from vj.app.surface import Surface
from vj.app.video_in.input_card import GUIDE_ADDRESS, PAINT_ADDRESS
from vj.app.video_in.mask_panel import MaskPanel
from vj.app.video_in.picture_view import PictureView
from vj.app.video_in.reference_pad import reference_card
from vj.app.video_in.thumbnails import Thumbnails
from vj.app.video_in.video_source import VideoSource
from vj.inputs.params import source_address
from vj.inputs.still_params import GUIDE_INPUT_ADDRESS, PAINTED_INPUT_ADDRESS

GAP = 6
LEAST_PICTURE = QSize(96, 48)
PAINTED = (
    ("/vj/input/on", "/vj/input/use", "/vj/input/steps"),
    ("/vj/input/noise", "/vj/input/motion"),
    ("/vj/input/recipe", "/vj/input/step_list"),
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
        self._store = surface.controls.store
        left = QVBoxLayout()
        left.setSpacing(GAP)
        for title, rows in (
            ("Paint over an input (V2V)", PAINTED),
            ("Guide by an input (VACE)", GUIDED),
            ("Paint only inside a mask (VACE)", MASKED),
        ):
            left.addWidget(_rows_card(surface, title, rows))
        self.painted, self.guiding = PictureView(LEAST_PICTURE), PictureView(LEAST_PICTURE)
        left.addLayout(row_of((self.painted, self.guiding)), 1)
        self.notice = QuietLabel("note")
        self.notice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        left.addWidget(self.notice)
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
        self._show_input(self.painted, "painted", (PAINT_ADDRESS, PAINTED_INPUT_ADDRESS), "nothing is painted over")
        self._show_input(self.guiding, "guiding", (GUIDE_ADDRESS, GUIDE_INPUT_ADDRESS), "no input guides")

    def show_engine(self, status: GeneratorStatus) -> None:
        """Show why the picture does not follow what it is asked to, as far as it does not."""
        pads = enumerate(status.reference_failures, start=1)
        sentences = [status.input_notice, *(f"reference {pad}: {failure}" for pad, failure in pads if failure)]
        self.notice.show_fitting("; ".join(filter(None, sentences)))

    def _show_input(self, view: PictureView, name: str, addresses: tuple[str, str], words: str) -> None:
        """Show the input that is used for something, while it is."""
        is_on, number = (self._store.get(address) for address in addresses)
        is_used = is_on and number and self._store.get(source_address(int(number)))
        view.show_picture(self._thumbnails.ask(name, int(number), view.size()) if is_used else None, words)


def _rows_card(surface: Surface, title: str, rows: Sequence[Sequence[str]]) -> QFrame:
    frame, column = card(title)
    for addresses in rows:
        column.addLayout(row_of([widget_for(surface, address, LABELS.get(address)) for address in addresses]))
    return frame
