"""The thread that plays what moves by time: transitions, cues, timelines, waiting commands. Nothing here knows Qt.

A hung panel does not stop it.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

RATE_HZ = 100.0


class Player(Protocol):
    """Something that moves the instrument as time passes."""

    def tick(self, now_ns: int) -> None:
        """Do what is due at `now_ns` (time.monotonic_ns). Never waits; called about 100 times a second."""
        ...


class Conductor:
    """Ticks its players in the order they were added, all on one thread. Started and stopped by one thread."""

    def __init__(self, rate_hz: float = RATE_HZ) -> None:
        self._period_s = 1.0 / rate_hz
        self._players: tuple[Player, ...] = ()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="conductor", daemon=True)

    def add(self, player: Player) -> None:
        """Tick one more player from now on. Any thread."""
        self._players = (*self._players, player)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; waits at most a second."""
        self._is_stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._is_stopping.is_set():
            now_ns = time.monotonic_ns()
            for player in self._players:
                player.tick(now_ns)
            # re-anchored after a stall, never caught up
            due_s = max(due_s + self._period_s, time.monotonic())
            self._is_stopping.wait(max(0.0, due_s - time.monotonic()))
