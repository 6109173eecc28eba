"""Sound inputs listed in a process of their own: PortAudio cannot look for devices while one of them is open.

Run as a module it writes the names to stdout, as JSON.
"""

from __future__ import annotations

import json
import os

from engine.terminal import take_stdout
from vj.processes.asked import AskedProcess, NoAnswerError
from vj.processes.child import end_with_parent
from vj.sound.loopback import list_loopbacks
from vj.sound.portaudio import GRACE_S, PortAudio
from vj.sound.sound_pipe import DriverFailedError, SoundUnavailableError

LONGEST_S = 8.0


class Listing:
    """Asks for the names and picks them up when they are there. One thread; no method waits."""

    def __init__(self) -> None:
        self._asked = AskedProcess("vj.sound.listing")
        self.stop = self._asked.stop

    def ask(self) -> None:
        """Begin, unless that is under way or no process can be had."""
        self._asked.ask(LONGEST_S)

    def take(self) -> tuple[str, ...] | None:
        """Return the names once they are there, else None. Raises DriverFailedError when they do not come."""
        try:
            written = self._asked.take()
            return None if written is None else tuple(str(name) for name in json.loads(written))
        except NoAnswerError as error:
            raise DriverFailedError(f"the inputs cannot be listed: {error}") from None
        except ValueError:
            raise DriverFailedError("the inputs cannot be listed: the driver ended the process that asks") from None


def list_inputs(portaudio: PortAudio) -> tuple[str, ...]:
    """List everything that can be listened to; empty where there is nothing."""
    try:
        names = portaudio.names()
    except SoundUnavailableError:
        names = ()
    return (*names, *list_loopbacks())


if __name__ == "__main__":
    output = os.fdopen(take_stdout(), "wb")
    end_with_parent(grace_s=GRACE_S)
    drivers = PortAudio()
    output.write(json.dumps(list_inputs(drivers)).encode())
    output.flush()
    drivers.leave()
