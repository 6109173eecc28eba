"""Sound inputs listed in a process of their own: PortAudio cannot look for devices while one of them is open.

Run as a module it writes the names to stdout, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time

from vj.child_process import end_with_parent, python_command, python_environment
from vj.sound.loopback import list_loopbacks
from vj.sound.portaudio import GRACE_S, PortAudio
from vj.sound.sound_pipe import DriverFailedError, SoundUnavailableError, take_stdout

LONGEST_S = 8.0
STOP_S = 1.0


class Listing:
    """Asks for the names and picks them up when they are there. One thread; no method waits."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._hangs_from_s = 0.0

    def ask(self) -> None:
        """Begin to look, unless that is under way."""
        if self._process is not None:
            return
        with contextlib.suppress(OSError):  # no process can be had now: the list stays as it was
            self._process = subprocess.Popen(
                python_command("vj.sound.listing"),
                env=python_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._hangs_from_s = time.monotonic() + LONGEST_S

    def take(self) -> tuple[str, ...] | None:
        """Return the names once they are there, else None. Raises DriverFailedError when they do not come."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            if time.monotonic() < self._hangs_from_s:
                return None
            self.stop()
            raise DriverFailedError(f"the inputs cannot be listed: the driver does not answer within {LONGEST_S:g} s")
        written = self._process.stdout.read() if self._process.stdout else b""
        self.stop()
        try:
            return tuple(str(name) for name in json.loads(written))
        except ValueError:
            raise DriverFailedError("the inputs cannot be listed: the driver ended the process that asks") from None

    def stop(self) -> None:
        """Give up looking; waits at most a second."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None


def list_inputs(portaudio: PortAudio) -> tuple[str, ...]:
    """List everything that can be listened to; empty where there is nothing."""
    try:
        names = portaudio.names()
    except SoundUnavailableError:
        names = ()
    return (*names, *list_loopbacks())


if __name__ == "__main__":
    output = take_stdout()
    end_with_parent(grace_s=GRACE_S)
    drivers = PortAudio()
    output.write(json.dumps(list_inputs(drivers)).encode())
    output.flush()
    drivers.leave()
