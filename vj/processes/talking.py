"""A process of ours that is told wishes and says how it stands, as JSON lines on its pipes: started, read, ended.

Knows nothing of what it does.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from engine.messages import Message
from engine.outbox import Outbox
from vj.processes.child import python_command, python_environment

KILL_WAIT_S = 2.0
_LOG = logging.getLogger(__name__)
State = TypeVar("State")  # a frozen dataclass with process_id


class TalkingProcess(Generic[State]):
    """One process from its start to its end. Used by one thread; `state` may be read by any."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        log: Path,
        latest: type[Message],
        decode: Callable[[bytes], State],
        first: State,
    ) -> None:
        """Start it. Of messages of type `latest` the newest counts; `first` is its state until it says one.

        Raises OSError.
        """
        self.started_ns = time.monotonic_ns()
        self._module = module
        self._decode = decode
        self._state = first
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [*python_command(module), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=python_environment(),
            )
        self._outbox = Outbox(os.dup(self._process.stdin.fileno()), latest)
        self._process.stdin.close()  # the copy is the outbox's own: closing it is the process's end
        self._reader = threading.Thread(target=self._read, name=f"states of {module}", daemon=True)
        self._reader.start()

    @property
    def state(self) -> State:
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

    def send(self, wishes: Message) -> None:
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
                _LOG.warning("%s (%d) hangs in a driver and cannot be ended", self._module, self.process_id)
        self._reader.join(KILL_WAIT_S)

    def _read(self) -> None:
        for line in self._process.stdout:
            try:
                state = self._decode(line)
            except (ValueError, TypeError) as error:
                _LOG.warning("from %s: %s", self._module, error)
                continue
            self._state = dataclasses.replace(state, process_id=self._process.pid)
        self._process.stdout.close()
