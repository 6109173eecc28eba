"""Ableton Link: the beat that programs on one network share, both ways, through the extra `link`.

Knows aalink and nothing of ports or parameters. Without aalink it says so in a sentence and never leads.
"""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time
from typing import Any

from vj.tempo.beat_line import BeatLine
from vj.tempo.clock import BEATS_PER_BAR, Lead

INSTALL = "Ableton Link needs aalink: pip install 'vj[link]'"
BPM_STEP = 0.001  # a tempo this near is the same
READS = 3  # of the beat, each between two looks at the clock: the quickest is the truest


class LinkSession:
    """One peer. In the session from `begin` to `end`; any thread may call any method, none waits long.

    aalink wants an asyncio loop: a thread of its own keeps one, from the first `begin` to `stop`.
    """

    def __init__(self) -> None:
        self.problem = ""  # one sentence when Link cannot be had
        self._link: Any = None  # aalink.Link, once its thread has made it
        self._lock = threading.Lock()
        self._wanted: BeatLine | None = None  # the beat to begin with, until the thread has begun
        self._is_stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def begin(self, line: BeatLine) -> None:
        """Join the session. Its tempo and bar hold if there is one already, else those of `line`."""
        if importlib.util.find_spec("aalink") is None:
            self.problem = INSTALL
            return
        with self._lock:
            self._wanted = line
            if self._link is not None:
                self._join()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._run, name="link", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Leave the session."""
        with self._lock:
            self._wanted = None
            if self._link is not None:
                self._link.enabled = False

    def stop(self) -> None:
        """Leave and end the thread; waits at most a second."""
        self.end()
        with self._lock:
            loop, is_stopping, thread = self._loop, self._is_stopping, self._thread
        if loop is not None and is_stopping is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(is_stopping.set)
            thread.join(timeout=1.0)

    def lead(self, now_ns: int) -> Lead | None:
        """The session's beat; None while not in one."""
        link = self._link
        if link is None or not link.enabled:
            return None
        reads = []
        for _ in range(READS):
            before_ns = time.monotonic_ns()
            beat = link.beat
            after_ns = time.monotonic_ns()
            reads.append((after_ns - before_ns, (before_ns + after_ns) // 2, beat))
        _, read_ns, beat = min(reads)
        return Lead(BeatLine(read_ns, beat, link.tempo), 1.0, BEATS_PER_BAR, link.num_peers)

    def propose(self, line: BeatLine) -> bool:
        """Give the session another tempo. The beat stays everyone's: a shift is kept by the clock alone."""
        link = self._link
        if link is not None and link.enabled and abs(link.tempo - line.bpm) > BPM_STEP:
            link.tempo = line.bpm
        return False

    def _join(self) -> None:
        """Under the lock, with a link: say our beat before anyone hears it; a session that exists overrules it."""
        if self._wanted is None:
            return
        self._link.tempo = self._wanted.bpm
        self._link.force_beat(self._wanted.beat_at(time.monotonic_ns()))
        self._link.enabled = True

    def _run(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        import aalink

        with self._lock:
            self._loop, self._is_stopping = asyncio.get_running_loop(), asyncio.Event()
            self._link = aalink.Link(120.0)
            self._link.quantum = BEATS_PER_BAR
            self._join()
        await self._is_stopping.wait()
        with self._lock:
            self._link.enabled = False
            self._link = None
