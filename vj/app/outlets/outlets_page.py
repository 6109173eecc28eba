"""Where the picture goes besides the displays: into files, and to other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt6.QtWidgets import QHBoxLayout, QWidget

from vj.app.outlets.record_panel import RecordPanel
from vj.app.outlets.share_panel import SharePanel
from vj.app.surface import Surface
from vj.recording.desk import RecordStatus
from vj.sharing.messages import ShareState

ADDRESS_STARTS = ("/vj/record/", "/vj/share/")


class OutletsPage(QWidget):
    """Recording on the left, sending on the right."""

    def __init__(
        self,
        surface: Surface,
        recording: Callable[[], RecordStatus],
        sharing: Callable[[], Mapping[str, ShareState]],
    ) -> None:
        super().__init__()
        # senders this computer lacks have no widgets, and their settings belong nowhere else
        parameters = surface.controls.store.parameters
        self.addresses = frozenset(address for address in parameters if address.startswith(ADDRESS_STARTS))
        self.record, self.share = RecordPanel(surface, recording), SharePanel(surface, sharing)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.record, 1)
        layout.addWidget(self.share, 1)

    def refresh(self) -> None:
        """Show how everything stands. Called some times a second while it is seen."""
        self.record.refresh()
        self.share.refresh()
