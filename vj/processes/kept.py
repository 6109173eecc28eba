"""A process of ours that is kept going: told of changes, begun anew when it ends or hangs, never waited for.

Knows nothing of what it does. Everything here is called by one thread, again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.messages import Message
from vj.processes.talking import TalkingProcess

OPENING_HANGS_NS = 20_000_000_000  # some drivers take as long to open
HANGS_NS = 4_000_000_000
RESTART_NS = (0, 500_000_000, 1_000_000_000, 2_000_000_000, 4_000_000_000)  # waits before it is started again
WELL_NS = 10_000_000_000  # a process that ran for so long is no repeated failure
END_S = 1.0
END_NS = round(END_S * 1e9)


class KeptProcess:
    """One process and those that followed it. Its states have `state` ("opening" or another word) and `moved_ns`."""

    def __init__(self, what: str, start: Callable[[], TalkingProcess]) -> None:
        """`what` is its name in sentences, which may change; `start` starts one, raising OSError."""
        self.what = what
        self._start_one = start
        self.process: TalkingProcess | None = None
        self._leaving: TalkingProcess | None = None  # asked to end, or killed
        self._kill_ns = 0  # when that one is ended the hard way
        self._wanted: Message | None = None
        self._failures, self._start_ns = 0, 0  # how often in a row; when the next start is due
        self.trouble = ""  # what happened to it; cleared by whoever sees it do well again

    def wish(self, wishes: Message | None) -> None:
        """Have it running with these wishes; None = ended."""
        if wishes == self._wanted:
            return
        now_ns, self._wanted = time.monotonic_ns(), wishes
        if wishes is None:
            self.begin_afresh()
            self._dismiss(now_ns + END_NS)
        elif self.process is not None:
            self.process.send(wishes)
        else:
            self._start(now_ns)

    def begin_afresh(self) -> None:
        """Forget what went wrong: something else is wanted, and is tried at once."""
        self._failures, self._start_ns, self.trouble = 0, 0, ""

    @property
    def is_gone(self) -> bool:
        """Whether no process of it is left."""
        return self.process is None and self._leaving is None

    def supervise(self, *, was_absent: bool) -> None:
        """Start what is to run; start again what has ended or hangs. `was_absent`: the caller itself stood still."""
        now_ns = time.monotonic_ns()
        self._look_after_leaving(now_ns)
        if self._wanted is None:
            return
        if self.process is None:
            self._start(now_ns)
        elif ending := self.process.ending:
            self.trouble = f"the process of {self.what} stopped ({ending}) and is started again"
            self._retire(now_ns)
        elif not was_absent and (still_s := self._stood_still_s(now_ns)):
            self.trouble = f"{self.what} hangs ({still_s:.0f} s without a word) and is begun anew"
            self._retire(now_ns)

    def stop(self) -> None:
        """End it; waits at most a few seconds."""
        for process in (self.process, self._leaving):
            if process is not None:
                process.end(END_S)
        self.process = self._leaving = None

    def ask_to_end(self) -> None:
        """Have it end, without waiting."""
        if self.process is not None:
            self.process.ask_to_end()

    def _start(self, now_ns: int) -> None:
        if now_ns < self._start_ns or self._leaving is not None:
            return
        try:
            self.process = self._start_one()
        except OSError as error:
            self.trouble = f"the process of {self.what} cannot be started: {error.strerror or error}"
            self._start_ns = now_ns + RESTART_NS[-1]
            return
        self.process.send(self._wanted)

    def _retire(self, now_ns: int) -> None:
        """Give up a process that ended or hangs."""
        if now_ns - self.process.started_ns > WELL_NS:
            self._failures = 0
        self._dismiss(now_ns)
        self._look_after_leaving(now_ns)
        self._start_ns = now_ns + RESTART_NS[min(self._failures, len(RESTART_NS) - 1)]
        self._failures += 1

    def _dismiss(self, kill_ns: int) -> None:
        if self.process is not None:
            self.process.ask_to_end()
            self._leaving, self.process, self._kill_ns = self.process, None, kill_ns

    def _look_after_leaving(self, now_ns: int) -> None:
        """Bury a process that was dismissed; nobody waits for one that hangs in a driver."""
        if self._leaving is None:
            return
        if not self._leaving.ending and now_ns >= self._kill_ns:
            self._leaving.kill()
        if self._leaving.ending or now_ns >= self._kill_ns + END_NS:
            self._leaving = None

    def _stood_still_s(self, now_ns: int) -> float:
        """Seconds without progress when that is too long, else 0."""
        state = self.process.state
        still_ns = now_ns - max(state.moved_ns, self.process.started_ns)
        limit_ns = OPENING_HANGS_NS if state.state == "opening" else HANGS_NS
        return still_ns / 1e9 if still_ns > limit_ns else 0.0
