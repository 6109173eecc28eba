"""The stage's process as the panels have it in hand: started by them, or found running.

It is detached: neither the panels' death nor the end of their terminal reaches it. Knows nothing of what is said.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from vj.processes.child import python_command, python_environment
from vj.processes.log import make_log
from vj.stage.record import StageRecord, is_ours, process_start, remove_record

LOG_KIND, KEPT_LOGS = "stage", 10
POLL_S = 0.02
GONE_S = 1.0


class StageProcess:
    """One process from start to end. Any thread; only `end` waits."""

    def __init__(self, process_id: int, child: subprocess.Popen[bytes] | None = None) -> None:
        """`child` is given for a process that this one has started, which has to bury it too."""
        self.process_id = process_id
        self._started = process_start(process_id)
        self._child = child

    @classmethod
    def start(cls, folder: Path) -> StageProcess:
        """Start a stage on a run's folder. Raises OSError when it cannot be started."""
        with make_log(LOG_KIND, folder, KEPT_LOGS).open("ab") as log:
            child = subprocess.Popen(
                [*python_command("vj.stage"), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=python_environment(),
                start_new_session=sys.platform != "win32",
                creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0,
            )
        return cls(child.pid, child)

    @classmethod
    def found(cls, record: StageRecord) -> StageProcess:
        """Take a stage in hand that runs already."""
        return cls(record.process_id)

    @property
    def is_alive(self) -> bool:
        """Whether it runs. Never waits."""
        if self._child is not None:
            return self._child.poll() is None
        return is_ours(self.process_id)

    def end(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` for a stage that was told to end, then kill it; False when it had to be killed."""
        end_s = time.monotonic() + timeout_s
        while self.is_alive:
            if time.monotonic() >= end_s:
                self.kill()
                return False
            time.sleep(POLL_S)
        return True

    def kill(self) -> None:
        """End it the hard way."""
        if self.is_alive and process_start(self.process_id) == self._started:
            with contextlib.suppress(OSError):
                os.kill(self.process_id, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(1.0)
        remove_record(self.process_id)


def end_hung(process_id: int, started: str) -> None:
    """Kill panels that do not answer, for new ones to take their place; wait until they are gone, at most a second."""
    if is_ours(process_id) and process_start(process_id) == started:
        with contextlib.suppress(OSError):
            os.kill(process_id, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        end_s = time.monotonic() + GONE_S
        while is_ours(process_id) and time.monotonic() < end_s:
            time.sleep(POLL_S)
