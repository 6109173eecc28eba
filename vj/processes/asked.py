"""A question whose answer may take long or never come, as from drivers: asked in a process of its own.

Nobody waits for it. Knows nothing of what is asked.
"""

from __future__ import annotations

import contextlib
import subprocess
import time

from vj.processes.child import python_command, python_environment

STOP_S = 1.0


class NoAnswerError(RuntimeError):
    """The process hung; it is ended."""


class AskedProcess:
    """Runs a module that writes its answer to stdout and ends. Belongs to one thread; no method but `stop` waits."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._hangs_from_s = 0.0

    def ask(self, longest_s: float) -> None:
        """Begin, unless that is under way or no process can be had; the answer may take `longest_s`."""
        if self._process is not None:
            return
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                python_command(self._module),
                env=python_environment(),
                stdin=subprocess.PIPE,  # its end is the process's, too
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._hangs_from_s = time.monotonic() + longest_s

    def take(self) -> bytes | None:
        """Return what was written once it has ended, else None. Raises NoAnswerError once it hangs."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            if time.monotonic() < self._hangs_from_s:
                return None
            self.stop()
            raise NoAnswerError("the driver does not answer")
        written = self._process.stdout.read() if self._process.stdout else b""
        self.stop()
        return written

    def stop(self) -> None:
        """Give up; waits at most a second."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
