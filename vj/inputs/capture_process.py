"""The panels' side of one capture process: starts it, tells it what is wanted, keeps what it says, ends it.

Knows nothing of the store, nor of when processes are started.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import subprocess
import threading
import time
from pathlib import Path

from engine.outbox import Outbox
from vj.child_process import python_command, python_environment
from vj.inputs.messages import InputState, InputWishes, decode_state
from vj.process_log import make_log

LOG_KIND, KEPT_LOGS = "input", 20
KILL_WAIT_S = 2.0
_LOG = logging.getLogger(__name__)


class CaptureProcess:
    """One process from its start to its end. Used by the desk's thread; `state` may be read by any."""

    def __init__(self, folder: Path, number: int, log_folder: Path | None) -> None:
        """Start it. Raises OSError."""
        self.started_ns = time.monotonic_ns()
        self._state = InputState(state="opening", moved_ns=self.started_ns)
        log_path = make_log(LOG_KIND, folder, KEPT_LOGS, log_folder)
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*python_command("vj.inputs.capture"), "--folder", str(folder), "--number", str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=python_environment(),
            )
        self._outbox = Outbox(os.dup(self._process.stdin.fileno()), InputWishes)
        self._process.stdin.close()  # the copy is the outbox's own: closing it is the process's end
        self._reader = threading.Thread(target=self._read, name="input states", daemon=True)
        self._reader.start()

    @property
    def state(self) -> InputState:
        """What it said last. Any thread."""
        return self._state

    @property
    def process_id(self) -> int:
        """For supervision and tests."""
        return self._process.pid

    @property
    def ending(self) -> str:
        """How it ended; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"

    def send(self, wishes: InputWishes) -> None:
        """Tell it what is wanted. Never waits."""
        self._outbox.put(wishes)

    def ask_to_end(self) -> None:
        """Close its pipe, which ends it. Never waits."""
        self._outbox.close(0.0)

    def kill(self) -> None:
        """End it the hard way. Never waits."""
        self._process.kill()

    def end(self, timeout_s: float) -> None:
        """Wait for its end, then end it the hard way; a process that hangs in a driver is left to the system."""
        self.ask_to_end()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            try:
                self._process.wait(KILL_WAIT_S)
            except subprocess.TimeoutExpired:
                _LOG.warning("capture process %d hangs in a driver and cannot be ended", self.process_id)
        self._reader.join(KILL_WAIT_S)

    def _read(self) -> None:
        for line in self._process.stdout:
            try:
                state = decode_state(line)
            except (ValueError, TypeError) as error:
                _LOG.warning("from a capture process: %s", error)
                continue
            self._state = dataclasses.replace(state, process_id=self._process.pid)
        self._process.stdout.close()
