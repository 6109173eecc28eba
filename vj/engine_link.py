"""The line to the engine: its process and two pipes, or its loop on a thread of this process; same calls either way.

Knows nothing of the store, the command queue or what the messages mean.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.chunk_source import SourceChoice
from engine.inbox import Inbox
from engine.messages import Command, Message, Values, decode, encode
from engine.worker_loop import run_worker
from vj.child_process import python_command, python_environment

OnMessage = Callable[[Message], None]
OnEnd = Callable[[str], None]  # called once, with a sentence about how the engine ended

KILL_WAIT_S = 2.0  # after SIGKILL; a process in the driver may take a moment
LAST_LINES_BYTES = 4096
_LOG = logging.getLogger(__name__)


class EngineLink(Protocol):
    """One engine from start to end. `on_message` and `on_end` come from a thread of the link's own."""

    def send(self, message: Values | Command) -> None:
        """Hand over one message. May wait for a process that does not read; does nothing when it is gone."""
        ...

    def close(self, timeout_s: float) -> None:
        """Ask the engine to end, wait up to `timeout_s`, then end it the hard way."""
        ...


class EngineProcess:
    """`python -m engine.worker`, its messages and its log."""

    def __init__(
        self, choice: SourceChoice, ring_path: Path, log_path: Path, on_message: OnMessage, on_end: OnEnd
    ) -> None:
        """Start the process. Raises OSError when it cannot be started."""
        self._on_message = on_message
        self._on_end = on_end
        self._log_path = log_path
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*python_command("engine.worker"), *_options(choice, ring_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # threads that wait for the next chunk must not keep the cores from the display
                env=python_environment() | {"OMP_WAIT_POLICY": "PASSIVE"},
            )
        self._reader = threading.Thread(target=self._read, name="engine messages", daemon=True)
        self._reader.start()

    @property
    def process_id(self) -> int:
        """For status lines and tests."""
        return self._process.pid

    def send(self, message: Values | Command) -> None:
        """Write one line; a process that is gone is reported by `on_end`, not here."""
        with contextlib.suppress(BrokenPipeError, ValueError):  # ValueError: closed in the meantime
            self._process.stdin.write(encode(message))
            self._process.stdin.flush()

    def close(self, timeout_s: float) -> None:
        """Close the pipe, which ends the engine; kill it when it has not ended in time."""
        closing = threading.Thread(target=self._close_stdin, daemon=True)
        closing.start()  # closing flushes, and a process that does not read would make that wait
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _LOG.warning("the engine did not end within %.1f s and is killed", timeout_s)
            self._process.kill()
            self._process.wait(KILL_WAIT_S)
        closing.join(KILL_WAIT_S)
        self._reader.join(KILL_WAIT_S)

    def _close_stdin(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            try:
                message = decode(line)
            except ValueError as error:
                _LOG.warning("from the engine: %s", error)
                continue
            self._on_message(message)
        self._process.stdout.close()
        code = self._process.wait()
        last = last_line(self._log_path)
        self._on_end(f"the engine stopped (exit code {code})" + (f": {last}" if last else ""))


class EngineOnThread:
    """The engine's loop in this process, for tests and for finding faults. A model that hangs cannot be ended here."""

    def __init__(self, choice: SourceChoice, ring_path: Path, on_message: OnMessage, on_end: OnEnd) -> None:
        self._inbox = Inbox()
        self._on_end = on_end
        self._thread = threading.Thread(
            target=self._run, args=(choice, ring_path, on_message), name="engine", daemon=True
        )
        self._thread.start()

    def send(self, message: Values | Command) -> None:
        """Put one message into the engine's inbox."""
        self._inbox.put(message)

    def close(self, timeout_s: float) -> None:
        """Close the inbox, which ends the loop after its chunk."""
        self._inbox.close()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _LOG.warning("the engine did not end within %.1f s; its thread is left behind", timeout_s)

    def _run(self, choice: SourceChoice, ring_path: Path, on_message: OnMessage) -> None:
        code = run_worker(choice, ring_path, self._inbox, on_message)
        self._on_end(f"the engine stopped (exit code {code})")


def last_line(log_path: Path) -> str:
    """Last line of a log that says anything; empty when there is none."""
    try:
        with log_path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - LAST_LINES_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _options(choice: SourceChoice, ring_path: Path) -> list[str]:
    options = ["--ring", str(ring_path), "--model", choice.model, "--device", choice.device, "--dtype", choice.dtype]
    if choice.size is not None:
        options += ["--size", f"{choice.size[0]}x{choice.size[1]}"]
    if choice.threads is not None:
        options += ["--threads", str(choice.threads)]
    return options
