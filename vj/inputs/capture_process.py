"""The panels' side of one capture process: what it is started with.

Knows nothing of the store, nor of when processes are started.
"""

from __future__ import annotations

import time
from pathlib import Path

from vj.inputs.messages import InputState, InputWishes, decode_state
from vj.processes.log import make_log
from vj.processes.talking import TalkingProcess

LOG_KIND, KEPT_LOGS = "input", 20


class CaptureProcess(TalkingProcess[InputState]):
    """One process from its start to its end. Used by the desk's thread; `state` may be read by any."""

    def __init__(self, folder: Path, number: int, log_folder: Path | None) -> None:
        """Start it. Raises OSError."""
        super().__init__(
            "vj.inputs.capture",
            ("--folder", str(folder), "--number", str(number)),
            make_log(LOG_KIND, folder, KEPT_LOGS, log_folder),
            InputWishes,
            decode_state,
            InputState(state="opening", moved_ns=time.monotonic_ns()),
        )
