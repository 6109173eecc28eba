"""The one thread that waits for disks, so that no hand and no clock has to.

Knows nothing of what is read or written.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from vj.written_files import FileError

Job = Callable[[], None]
LAST_S = 3.0  # what waits at the end of the show gets this long


class DiskThread:
    """Does jobs one after the other, and one of them again and again. Any thread may call `do`; it never waits."""

    def __init__(self, tell: Callable[[str], None], again: Job, every_s: float) -> None:
        """`again` is done every `every_s` seconds and once at the end; `tell` takes the sentence of a FileError.

        Of `again` it is told once, until it has been done well again.
        """
        self._tell = tell
        self._again = again
        self._told = ""  # what was told of `again`, which is not told every time
        self._every_s = every_s
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)

    def do(self, job: Job) -> None:
        """Have a job done soon; it may raise FileError."""
        self._jobs.put(job)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Do what waits, then `again` once more; a disk that takes longer than LAST_S is left behind."""
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join(LAST_S)

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=self._every_s)
            except queue.Empty:
                job = self._again
            is_again = job is None or job == self._again
            try:
                (self._again if job is None else job)()
                self._told = "" if is_again else self._told
            except FileError as error:
                self._note(str(error), is_again=is_again)
            if job is None:
                return

    def _note(self, sentence: str, *, is_again: bool) -> None:
        if is_again and self._told:
            return
        self._told = sentence if is_again else self._told
        self._tell(sentence)
