"""The stage in the panels' own process, behind the same block: for tests, and where a second process cannot be had."""

from __future__ import annotations

import os
from pathlib import Path

from vj.stage.stage import Stage


class StageHere:
    """Belongs to the GUI thread, like its window."""

    def __init__(self, folder: Path) -> None:
        self.process_id = os.getpid()
        self.stage = Stage(folder, lambda: None)  # the panels end it

    @property
    def is_alive(self) -> bool:
        """It is, as long as this process."""
        return True

    def end(self, timeout_s: float) -> bool:
        """Close the window at once."""
        self.stage.close()
        return True

    def kill(self) -> None:
        """Nothing can be ended here but the whole process."""
