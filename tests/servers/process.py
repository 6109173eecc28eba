"""Child processes that never outlive the test run, even when it is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

STOP_S = 5.0


class ServerMissingError(RuntimeError):
    """A program the tests need is not installed."""


def find_program(name: str) -> str:
    """Return the path of a program; raises ServerMissingError with what to do."""
    path = shutil.which(name)
    if path is None:
        raise ServerMissingError(f"{name} is not installed; `python3 start.py test` installs it")
    return path


def start_tied(
    command: Sequence[str],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, output to `log`; the kernel ends it when the caller dies (Linux)."""
    setpriv = shutil.which("setpriv")
    tie = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    with log.open("wb") as output:
        return subprocess.Popen(
            [*tie, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, **(env or {})),
            cwd=cwd,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )


def stop_group(process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM) -> int:
    """End a process and everything it started; returns its exit status."""
    for number in (first, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_S)
            break
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what the leader left behind
    return process.wait(STOP_S)


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float, every_s: float = 0.05) -> None:
    """Poll until `condition()` holds; raises TimeoutError naming `what`."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(every_s)
