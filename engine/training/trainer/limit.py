"""When a run stops before its last step: its minutes are over, or the system or the user asks. Ends nothing itself."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator


class Limit:
    """Asked after every step; the run then saves and ends. A second Ctrl-C ends it at once."""

    def __init__(self, minutes: float = 0.0) -> None:
        """`minutes` of this invocation; 0 = no limit."""
        self._minutes = minutes
        self._began_s = time.monotonic()
        self._asked = ""

    def reason(self) -> str:
        """Why to stop now; empty = go on."""
        if self._asked:
            return self._asked
        if self._minutes and time.monotonic() - self._began_s >= self._minutes * 60.0:
            return f"its {self._minutes:g} minutes are over"
        return ""

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGTERM and the first SIGINT as a wish to stop; from the main thread only, elsewhere it does nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        for number in before:
            signal.signal(number, self._ask)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        self._asked = f"{signal.Signals(number).name} came"
        signal.signal(signal.SIGINT, signal.default_int_handler)
