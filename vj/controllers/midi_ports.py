"""MIDI ports of this computer behind a small protocol: which driver serves it, and what ports it has now.

Knows nothing of messages or mappings. A computer without MIDI is told in a sentence, never an exception from a driver.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from vj.controllers.midi_drivers import (
    CLIENT_NAME,
    DRIVERS,
    MidiDriver,
    MidiUnavailableError,
    OnBytes,
    OpenOutput,
    OpenPort,
    make_driver,
)

BACKEND_VARIABLE = "MIDO_BACKEND"  # mido's own: "mido.backends.rtmidi/UNIX_JACK"
ALSA_SEQUENCER = Path("/dev/snd/seq")
JACK_SOCKETS = Path("/dev/shm")
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 30.0  # a driver that failed prints to the terminal each time it is asked


class MidiPorts(Protocol):
    """Where ports are listed and opened. Used by one thread."""

    def names(self) -> list[str]:
        """List the ports that send now, but our own. Raises MidiUnavailableError."""
        ...

    def output_names(self) -> list[str]:
        """List the ports that take messages now. Raises MidiUnavailableError."""
        ...

    def open(self, name: str, on_bytes: OnBytes) -> OpenPort:
        """Open one sending port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        ...

    def open_output(self, name: str) -> OpenOutput:
        """Open one taking port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        ...

    def close(self) -> None:
        """Let the driver go."""
        ...


def device_name(port_name: str, platform: str = sys.platform) -> str:
    """Strip the numbers ALSA and Windows give a port anew at every plugging, so that a device keeps its name."""
    return re.sub(r" \d+$" if platform == "win32" else r" \d+:\d+$", "", port_name)


def choose_api(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """Name the driver to use: what the environment asks for, else the platform's, on Linux ALSA before JACK.

    Raises MidiUnavailableError when there is none on this computer now. Touches no driver: one that is asked in vain
    writes to the terminal.
    """
    asked = environment.get(BACKEND_VARIABLE, "").partition("/")[2]
    if asked and asked not in DRIVERS:
        raise MidiUnavailableError(f"{BACKEND_VARIABLE} asks for {asked}, which is none of {', '.join(DRIVERS)}")
    if asked and asked != "UNIX_JACK":
        return asked
    has_jack = bool(_jack_server(environment))
    if asked:
        if not has_jack:
            raise MidiUnavailableError(f"{BACKEND_VARIABLE} asks for JACK and no JACK server runs")
        return asked
    if not platform.startswith("linux"):
        return "UNSPECIFIED"
    if ALSA_SEQUENCER.exists():
        return "LINUX_ALSA"
    if has_jack:
        return "UNIX_JACK"
    raise MidiUnavailableError(f"no MIDI on this computer: neither {ALSA_SEQUENCER} nor a JACK server")


def _jack_server(environment: Mapping[str, str]) -> frozenset[tuple[str, int, int]]:
    """Tell one running JACK server from the next by its sockets; empty when none runs.

    Without touching libjack: a client of a server that is gone lists its ports for ever.
    """
    server = environment.get("JACK_DEFAULT_SERVER", "default")
    found = set()
    for path in JACK_SOCKETS.glob(f"jack_{server}_*_0"):
        try:
            status = path.stat()
        except OSError:
            continue  # it has just gone
        found.add((path.name, status.st_ino, status.st_ctime_ns))
    return frozenset(found)


class RtMidiPorts:
    """The ports of the system's driver. Connects when asked first, and again when a JACK server was restarted."""

    def __init__(self) -> None:
        self._driver: MidiDriver | None = None
        self._api = ""
        self._server: frozenset[tuple[str, int, int]] = frozenset()
        self._failure = ""
        self._next_try_s = 0.0  # time.monotonic()
        self._retry_s = FIRST_RETRY_S

    def names(self) -> list[str]:
        """List the ports that send now, but our own. Raises MidiUnavailableError.

        It also does so, once, when the JACK server is another than before: all ports are to be opened anew.
        """
        return [name for name in self._connected().input_names() if not _is_ours(name)]

    def output_names(self) -> list[str]:
        """List the ports that take messages now, but our own. Raises MidiUnavailableError as `names` does."""
        return [name for name in self._connected().output_names() if not _is_ours(name)]

    def open(self, name: str, on_bytes: OnBytes) -> OpenPort:
        """Open one sending port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        return self._connected().open_input(name, on_bytes)

    def open_output(self, name: str) -> OpenOutput:
        """Open one taking port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        return self._connected().open_output(name)

    def close(self) -> None:
        """Let the driver go."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def _connected(self) -> MidiDriver:
        if self._driver is not None and self._api == "UNIX_JACK" and self._server != _jack_server(os.environ):
            self.close()
            raise MidiUnavailableError("the JACK server has stopped or was started anew")
        if self._driver is None:
            self._driver = self._connect()
        return self._driver

    def _connect(self) -> MidiDriver:
        server = _jack_server(os.environ)
        if self._failure and time.monotonic() < self._next_try_s and server == self._server:
            raise MidiUnavailableError(self._failure)
        self._api, self._server = choose_api(), server
        try:
            driver = make_driver(self._api)
        except MidiUnavailableError as error:
            self._failure, self._next_try_s = str(error), time.monotonic() + self._retry_s
            self._retry_s = min(LAST_RETRY_S, 2.0 * self._retry_s)
            raise
        self._failure, self._retry_s = "", FIRST_RETRY_S
        return driver


def _is_ours(port_name: str) -> bool:
    """Whether a listed port is one that we opened: JACK and ALSA list the near ends of connections too."""
    return re.match(rf"{CLIENT_NAME}(-\d+)?:", port_name) is not None
