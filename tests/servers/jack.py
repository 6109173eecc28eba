"""A JACK server of our own with a dummy sound card: real MIDI ports without hardware.

It runs beside any server of the user's under a name of its own.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from types import TracebackType

from tests.servers.process import find_program, start_tied, stop_group, wait_until

START_S = 15.0
RATE_HZ = 48000
CLIENT_TIMEOUT_MS = 2000
PERIOD_SAMPLES = 256  # 5.3 ms: MIDI leaves once per period


class JackServer:
    """A running server. `env` is what a program needs to open its MIDI ports there (mido's own variable included)."""

    def __init__(self, folder: Path) -> None:
        self.name = f"vj_tests_{os.getpid()}"
        self.env = {
            "JACK_DEFAULT_SERVER": self.name,
            "JACK_NO_START_SERVER": "1",
            "JACK_NO_AUDIO_RESERVATION": "1",
            "MIDO_BACKEND": "mido.backends.rtmidi/UNIX_JACK",
        }
        _forget_dead_servers()
        # synchronous and patient: on a busy machine the server ends itself over a client that is late or has just left
        command = [find_program("jackd"), "-n", self.name, "-r", "-S", "-t", str(CLIENT_TIMEOUT_MS), "-d", "dummy"]
        command += ["-r", str(RATE_HZ), "-p", str(PERIOD_SAMPLES)]
        self._log = folder / "jackd.log"
        self._process = start_tied(command, self._log, self.env)
        try:
            wait_until(self._answers, "the JACK server", START_S)
        except TimeoutError as error:
            self.stop()
            raise RuntimeError(f"{error}: {self._log.read_text(errors='replace')[-500:]}") from None

    def _answers(self) -> bool:
        command = [find_program("jack_lsp"), "-s", self.name]
        return subprocess.run(command, env=dict(os.environ, **self.env), capture_output=True).returncode == 0

    def ports(self) -> list[str]:
        """List the names of all ports, audio and MIDI."""
        command = [find_program("jack_lsp"), "-s", self.name]
        answer = subprocess.run(command, env=dict(os.environ, **self.env), capture_output=True, text=True, check=True)
        return answer.stdout.split("\n")[:-1]

    def stop(self) -> None:
        """End the server."""
        stop_group(self._process)

    def __enter__(self) -> JackServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.stop()


def _forget_dead_servers() -> None:
    """Clear JACK's list of servers when none runs: it holds eight, and those that were killed stay on it."""
    comms = (path.read_text() for path in Path("/proc").glob("[0-9]*/comm") if path.exists())
    with contextlib.suppress(OSError):  # a process that ends between the two looks, or a list of another user
        if not any(comm.strip() in ("jackd", "jackdbus") for comm in comms):
            for path in Path("/dev/shm").glob("jack-*"):
                path.unlink()
