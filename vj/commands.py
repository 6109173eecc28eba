"""The queue of things that happen once: cuts, texts. Nothing in it is dropped or merged.

Knows nothing of who presses or who obeys.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from engine.messages import Command
from engine.parameter import Value


@dataclass(frozen=True)
class Refusal:
    """A command that was answered with an error."""

    command: Command
    error: str  # one sentence


class CommandQueue:
    """First in, first out, by id. Any thread may call any method; only `take` may wait.

    A command is pending from `put` until `acknowledge`, whether or not it was taken in between.
    """

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._arrived = threading.Condition()
        self._waiting: list[Command] = []  # put, not taken
        self._pending: dict[int, Command] = {}  # put, not acknowledged; in order of id
        self._last_refusal: Refusal | None = None

    def put(self, name: str, arguments: Mapping[str, Value] | None = None, at_ns: int | None = None) -> Command:
        """Append a command and return it with its id. `at_ns` is a presentation time (monotonic), None = now."""
        with self._arrived:
            command = Command(next(self._ids), name, dict(arguments or {}), at_ns)
            self._waiting.append(command)
            self._pending[command.id] = command
            self._arrived.notify_all()
        return command

    def take(self, timeout_s: float = 0.0) -> list[Command]:
        """Hand over every command not taken yet, oldest first; wait up to `timeout_s` for the first one."""
        with self._arrived:
            if not self._waiting and timeout_s > 0.0:
                self._arrived.wait(timeout_s)
            taken, self._waiting = self._waiting, []
        return taken

    def acknowledge(self, command_id: int, error: str = "") -> None:
        """Close a command: it took effect, or `error` says why not. An id that is not pending changes nothing."""
        with self._arrived:
            command = self._pending.pop(command_id, None)
            if command is not None and error:
                self._last_refusal = Refusal(command, error)

    def pending(self) -> tuple[Command, ...]:
        """List what is not acknowledged yet, oldest first."""
        with self._arrived:
            return tuple(self._pending.values())

    @property
    def last_refusal(self) -> Refusal | None:
        """The newest command that was answered with an error, for the status strip."""
        return self._last_refusal
