"""The line to the engine: its process and two pipes, or its loop on a thread of this process; same calls either way.

Knows nothing of the store, the command queue or what the messages mean.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.acceleration import acceleration_words
from engine.chunk_source import SourceChoice
from engine.inbox import Inbox
from engine.live.threads import PASSIVE_THREADS
from engine.messages import Command, Message, Start, Values, decode
from engine.outbox import Outbox
from engine.plans.memory_arguments import memory_words
from engine.worker_run import run_worker
from vj.processes.child import python_command, python_environment

OnMessage = Callable[[Message], None]
OnEnd = Callable[[str, int], None]  # called once, with a sentence about how the engine ended and its exit code

SPARE_WORDS = ["--spare"]  # an engine that waits for `begin`
KILL_WAIT_S = 2.0  # after SIGKILL; a process in the driver may take a moment
LAST_LINES_BYTES = 4096
_LOG = logging.getLogger(__name__)


class EngineLink(Protocol):
    """One engine from start to end. `on_message` and `on_end` come from a thread of the link's own."""

    def send(self, message: Values | Command) -> None:
        """Hand over one message. Never waits; does nothing when the engine is gone."""
        ...

    def kill(self) -> None:
        """End the engine the hard way, now; `on_end` follows."""
        ...

    def close(self, timeout_s: float) -> None:
        """Ask the engine to end, wait up to `timeout_s`, then end it the hard way."""
        ...


class EngineProcess:
    """`python -m engine.worker`, its messages and its log."""

    def __init__(self, words: list[str], log_path: Path, on_message: OnMessage, on_end: OnEnd) -> None:
        """Start the process with these words; `engine_words` and SPARE_WORDS are some. Raises OSError."""
        self._on_message = on_message
        self._on_end = on_end
        self._log_path = log_path
        self._ending: tuple[str, int] | None = None
        self._ending_lock = threading.Lock()  # over who hears of the end
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*python_command("engine.worker"), *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # threads that wait for the next chunk must not keep the cores from the display
                env=python_environment() | PASSIVE_THREADS,
            )
        self._outbox = Outbox(os.dup(self._process.stdin.fileno()), Values)
        self._process.stdin.close()  # the copy is the outbox's own: closing it is the engine's end
        self._reader = threading.Thread(target=self._read, name="engine messages", daemon=True)
        self._reader.start()

    @property
    def process_id(self) -> int:
        """For status lines and tests."""
        return self._process.pid

    def begin(self, choice: SourceChoice, ring_path: Path, on_message: OnMessage, on_end: OnEnd) -> None:
        """Make a spare an engine, heard by others from now on."""
        with self._ending_lock:
            self._on_message, self._on_end = on_message, on_end
            if self._ending is not None:
                on_end(*self._ending)
        where, how = (str(ring_path), choice.model, choice.size), (choice.device, choice.dtype, choice.threads)
        self._outbox.put(Start(*where, *how, choice.is_light, choice.memory, choice.accelerate))

    def send(self, message: Values | Command) -> None:
        """Queue one message; a process that is gone is reported by `on_end`, not here."""
        self._outbox.put(message)

    def kill(self) -> None:
        """Send SIGKILL, which a process that is stopped obeys too."""
        self._process.kill()

    def close(self, timeout_s: float) -> None:
        """Close the pipe, which ends the engine; kill it when it has not ended in time."""
        self._outbox.close(0.0)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _LOG.warning("the engine did not end within %.1f s and is killed", timeout_s)
            self._process.kill()
            self._process.wait(KILL_WAIT_S)
        self._outbox.close(KILL_WAIT_S)
        self._reader.join(KILL_WAIT_S)

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
        ending = describe_end(code)
        last = last_line(self._log_path)
        self._outbox.close(0.0)
        with self._ending_lock:
            sentence = f"the engine stopped ({ending})" + (f": {last}" if last and code >= 0 else "")
            self._ending = (sentence, code)
            self._on_end(sentence, code)


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

    def kill(self) -> None:
        """Close the inbox: a thread cannot be ended the hard way."""
        self._inbox.close()

    def close(self, timeout_s: float) -> None:
        """Close the inbox, which ends the loop after its chunk."""
        self._inbox.close()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _LOG.warning("the engine did not end within %.1f s; its thread is left behind", timeout_s)

    def _run(self, choice: SourceChoice, ring_path: Path, on_message: OnMessage) -> None:
        code = 1
        try:
            code = run_worker(choice, ring_path, self._inbox, on_message)
        finally:
            self._on_end(f"the engine stopped ({describe_end(code)})", code)


def describe_end(code: int) -> str:
    """Say in words how a process ended."""
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"


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


def engine_words(choice: SourceChoice, ring_path: Path) -> list[str]:
    """Words of the command line for an engine that plays at once."""
    options = ["--ring", str(ring_path), "--model", choice.model, "--device", choice.device, "--dtype", choice.dtype]
    if choice.size is not None:
        options += ["--size", f"{choice.size[0]}x{choice.size[1]}"]
    if choice.is_light:
        options.append("--light")
    options += memory_words(choice.memory)
    options += acceleration_words(choice.accelerate)
    if choice.threads is not None:
        options += ["--threads", str(choice.threads)]
    return options
