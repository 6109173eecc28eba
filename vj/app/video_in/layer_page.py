"""The inputs that lie under and over the generated picture: a column for each, and one for the picture between them."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vj.app.engine_page import widget_for
from vj.app.parameter_widgets import heading
from vj.app.surface import Surface
from vj.output.layer_params import LAYERS

ROWS = (("input", "place"), ("opacity",), ("blend", "key"), ("fit", "scale"), ("x", "y"), ("rotation",))
PICTURE_ROWS = (("blend",), ("opacity",), ("key",), ("softness",))


class LayerPage(QWidget):
    """What lies lowest comes first. Belongs to the GUI thread."""

    def __init__(self, surface: Surface) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        titles = [(f"Layer {n}", f"/vj/layer/{n}/", ROWS) for n in range(1, LAYERS + 1)]
        titles.append(("Generated picture, over the layers under it", "/vj/layer/picture/", PICTURE_ROWS))
        for title, start, rows in titles:
            column = QVBoxLayout()
            column.addWidget(_card(surface, title, start, rows))
            column.addStretch(1)
            layout.addLayout(column, 1)


def _card(surface: Surface, title: str, start: str, rows: Sequence[Sequence[str]]) -> QFrame:
    card = QFrame()
    card.setObjectName("card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(7, 4, 7, 6)
    layout.setSpacing(4)
    layout.addWidget(heading(title))
    for names in rows:
        grid = QGridLayout()
        grid.setSpacing(4)
        for k, name in enumerate(names):
            grid.addWidget(widget_for(surface, start + name), 0, k)
            grid.setColumnStretch(k, 1)
        layout.addLayout(grid)
    return card
