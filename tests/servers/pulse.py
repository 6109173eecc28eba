"""A PulseAudio server of our own with a null sink named `stage`: what is played into it is heard at its monitor."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

from tests.servers.process import find_program, start_tied, stop_group, wait_until

START_S = 15.0
SINK = "stage"


class PulseServer:
    """A running server. `env` makes ALSA's `pulse` device play to and record from the null sink."""

    def __init__(self, folder: Path) -> None:
        socket = folder / "pulse.socket"
        self.env = {
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_SINK": SINK,
            "PULSE_SOURCE": f"{SINK}.monitor",
            "PULSE_COOKIE": str(folder / "cookie"),
        }
        own = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "PULSE_RUNTIME_PATH": str(folder)}
        command = [find_program("pulseaudio"), "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        command += ["--disable-shm=yes", "-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
        command += ["-L", f"module-null-sink sink_name={SINK}"]
        self._log = folder / "pulse.log"
        self._process = start_tied(command, self._log, own)
        try:
            wait_until(self._answers, "the PulseAudio server", START_S)
        except TimeoutError as error:
            self.stop()
            raise RuntimeError(f"{error}: {self._log.read_text(errors='replace')[-500:]}") from None

    def _answers(self) -> bool:
        command = [find_program("pactl"), "list", "short", "sinks"]
        answer = subprocess.run(command, env=dict(os.environ, **self.env), capture_output=True, text=True)
        return SINK in answer.stdout

    def stop(self) -> None:
        """End the server."""
        stop_group(self._process)

    def __enter__(self) -> PulseServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.stop()
