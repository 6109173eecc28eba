"""Messages on their way into a pipe, which may be full while the other side is stopped: no sender ever waits.

Where only the latest counts, one is kept; all others go out in order. Knows nothing of what they mean.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from engine.messages import Failure, Message, encode

KEPT_FAILURES = 100  # sentences for a reader that is away: older ones are dropped
CLOSE_WAIT_S = 1.0


class Outbox:
    """Any thread may put. Owns the file descriptor, which a thread of its own writes to."""

    def __init__(
        self,
        descriptor: int,
        latest: type[Message],
        *,
        repeat_s: float | None = None,
        on_broken: Callable[[], None] = lambda: None,
    ) -> None:
        """Of type `latest` only the newest message is kept; it is said again after `repeat_s` without another word.

        `on_broken` is called once, on the writing thread, when nobody reads any more.
        """
        self._descriptor = descriptor
        self._latest = latest
        self._repeat_s = repeat_s
        self._on_broken = on_broken
        self._changed = threading.Condition()
        self._waiting: list[Message] = []
        self._last: Message | None = None  # newest of type `latest`
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        """Take one message. Never waits; after `close`, or when nobody reads, it is dropped."""
        with self._changed:
            if self._is_closed:
                return
            if isinstance(message, self._latest):
                self._last = message
                self._waiting = [other for other in self._waiting if not isinstance(other, self._latest)]
            elif isinstance(message, Failure) and not message.fatal:
                self._drop_old_failures()
            self._waiting.append(message)
            self._changed.notify()

    def close(self, timeout_s: float = CLOSE_WAIT_S) -> None:
        """Write what is left and close the pipe, waiting so long for a reader that does not read."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _drop_old_failures(self) -> None:
        failures = [other for other in self._waiting if isinstance(other, Failure) and not other.fatal]
        if len(failures) >= KEPT_FAILURES:
            self._waiting.remove(failures[0])

    def _run(self) -> None:
        try:
            while (messages := self._take()) is not None:
                for message in messages:
                    _write(self._descriptor, encode(message))
        except OSError:  # BrokenPipeError above all
            with self._changed:
                self._is_closed = True
                self._waiting = []
            self._on_broken()
        finally:
            os.close(self._descriptor)

    def _take(self) -> list[Message] | None:
        """Wait for messages; None when there are none and none will come."""
        with self._changed:
            while not self._waiting:
                if self._is_closed:
                    return None
                has_news = self._changed.wait(self._repeat_s if self._last is not None else None)
                if not has_news and self._last is not None and not self._waiting:
                    return [self._last]
            # one at a time: what waits behind a full pipe can still be replaced
            return [self._waiting.pop(0)]


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
