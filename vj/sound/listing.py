"""Sound inputs listed in a process of their own: PortAudio cannot look for devices while one of them is open.

Run as a module it writes the names to stdout, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

from vj.child_process import python_command, python_environment
from vj.sound.loopback import list_loopbacks
from vj.sound.portaudio import PortAudio, SoundUnavailableError

LONGEST_S = 10.0


class Listing:
    """Asks for the names and picks them up when they are there. One thread; no method waits."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self) -> None:
        """Begin to look, unless that is under way."""
        if self._process is not None:
            return
        with contextlib.suppress(OSError):  # no process can be had now: the list stays as it was
            self._process = subprocess.Popen(
                python_command("vj.sound.listing"),
                env=python_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def take(self) -> tuple[str, ...] | None:
        """Return the names once they are there, else None."""
        if self._process is None or self._process.poll() is None:
            return None
        written = self._process.stdout.read() if self._process.stdout else b""
        self.stop()
        try:
            return tuple(str(name) for name in json.loads(written))
        except ValueError:
            return None

    def stop(self) -> None:
        """Give up looking."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None


def list_inputs(portaudio: PortAudio) -> tuple[str, ...]:
    """List everything that can be listened to; empty where there is nothing."""
    try:
        names = portaudio.names()
    except SoundUnavailableError:
        names = ()
    return (*names, *list_loopbacks())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list_inputs(PortAudio())))
