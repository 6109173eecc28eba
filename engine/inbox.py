"""What the instrument last said to the engine: the newest values, and every command in order.

Knows nothing of pipes or of what the words mean.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from engine.messages import ArmedDeck, Command, Values
from engine.parameter import Value


class Inbox:
    """Any thread may `put` and `close`; one thread takes and waits.

    Values replace each other, commands queue: a command is never dropped or merged.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._values: Mapping[str, Value] = {}
        self._version = 0
        self._deck: ArmedDeck | None = None
        self._has_values = False
        self._commands: list[Command] = []
        self._is_closed = False
        self._has_news = False

    def put(self, message: Values | Command) -> None:
        """Take in one message. Never waits."""
        with self._changed:
            if isinstance(message, Values):
                self._values, self._version, self._deck = message.values, message.version, message.deck
                self._has_values = True
            else:
                self._commands.append(message)
            self._wake()

    def close(self) -> None:
        """Say that nothing more will come: the instrument is gone."""
        with self._changed:
            self._is_closed = True
            self._wake()

    @property
    def is_closed(self) -> bool:
        """Whether the instrument is gone."""
        return self._is_closed

    def snapshot(self) -> tuple[int, Mapping[str, Value], ArmedDeck | None]:
        """Return version, values and armed deck of one moment. Nobody changes them any more."""
        with self._changed:
            return self._version, self._values, self._deck

    def take_commands(self) -> list[Command]:
        """Hand over every command not taken yet, oldest first."""
        with self._changed:
            taken, self._commands = self._commands, []
            self._has_news = False
            return taken

    def wait(self, timeout_s: float) -> None:
        """Wait until a command came or the instrument left since `take_commands`, at most `timeout_s`."""
        with self._changed:
            if not self._has_news:
                self._changed.wait(timeout_s)

    def wait_for_values(self, timeout_s: float) -> None:
        """Wait until the first values came or the instrument left, at most `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_values or self._is_closed, timeout_s)

    def _wake(self) -> None:
        self._has_news = True
        self._changed.notify_all()
