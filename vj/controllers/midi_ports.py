"""MIDI ports of this computer behind a small protocol, by python-rtmidi.

Knows nothing of messages or mappings. A computer without MIDI is told in a sentence, never an exception from a driver.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

BACKEND_VARIABLE = "MIDO_BACKEND"  # mido's own: "mido.backends.rtmidi/UNIX_JACK"
CLIENT_NAME = "vj"
ALSA_SEQUENCER = Path("/dev/snd/seq")
JACK_SOCKETS = Path("/dev/shm")
DRIVERS = {"LINUX_ALSA": "alsa", "UNIX_JACK": "jack", "MACOSX_CORE": "core", "WINDOWS_MM": "winmm", "UNSPECIFIED": ""}
RETRY_S = 30.0  # a driver that failed prints to the terminal each time it is asked

OnBytes = Callable[[Sequence[int], int], None]  # one whole message, time.monotonic_ns(); on the driver's thread


class MidiUnavailableError(RuntimeError):
    """No MIDI here now; the sentence says what is missing."""


class OpenPort(Protocol):
    """A port that delivers until it is closed."""

    def close(self) -> None:
        """Stop delivering; waits for a delivery in progress."""
        ...


class MidiPorts(Protocol):
    """Where input ports are listed and opened. Used by one thread."""

    def names(self) -> list[str]:
        """List the input ports there are now. Raises MidiUnavailableError."""
        ...

    def open(self, name: str, on_bytes: OnBytes) -> OpenPort:
        """Open one port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        ...

    def close(self) -> None:
        """Let the driver go."""
        ...


def device_name(port_name: str) -> str:
    """Strip the numbers ALSA gives a port anew at every plugging, so that a device keeps its name."""
    return re.sub(r" \d+:\d+$", "", port_name)


def choose_api(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """Name the driver to use: what the environment asks for, else the platform's, on Linux ALSA before JACK.

    Raises MidiUnavailableError when there is none on this computer now. Touches no driver: one that is asked in vain
    writes to the terminal.
    """
    asked = environment.get(BACKEND_VARIABLE, "").partition("/")[2]
    if asked and asked != "UNIX_JACK":
        return asked
    has_jack = _has_jack_server(environment)
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


def _has_jack_server(environment: Mapping[str, str]) -> bool:
    server = environment.get("JACK_DEFAULT_SERVER", "default")
    return any(JACK_SOCKETS.glob(f"jack_{server}_*_0"))


class RtMidiPorts:
    """Ports by python-rtmidi. Keeps one client open to list ports with, since making one costs a driver connection."""

    def __init__(self) -> None:
        self._lister: Any = None  # rtmidi.MidiIn
        self._api = ""
        self._failure = ""
        self._next_try_s = 0.0  # time.monotonic()

    def names(self) -> list[str]:
        """List the input ports there are now. Raises MidiUnavailableError."""
        if self._lister is None:
            self._connect()
        return list(self._lister.get_ports())

    def open(self, name: str, on_bytes: OnBytes) -> OpenPort:
        """Open one port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        return _RtMidiPort(self._api, name, on_bytes)

    def close(self) -> None:
        """Let the driver go."""
        if self._lister is not None:
            self._lister.delete()
            self._lister = None

    def _connect(self) -> None:
        if self._failure and time.monotonic() < self._next_try_s:
            raise MidiUnavailableError(self._failure)
        self._api = choose_api()
        try:
            self._lister = _make_client(self._api)
        except MidiUnavailableError as error:
            self._failure, self._next_try_s = str(error), time.monotonic() + RETRY_S
            raise


class _RtMidiPort:
    """One open port; rtmidi's thread calls `on_bytes`."""

    def __init__(self, api: str, name: str, on_bytes: OnBytes) -> None:
        import rtmidi

        self._client = _make_client(api)
        try:
            number = self._client.get_ports().index(name)
            self._client.set_callback(lambda event, _: on_bytes(event[0], time.monotonic_ns()))
            self._client.open_port(number, name=name)
        except (ValueError, rtmidi.RtMidiError) as error:
            self._client.delete()
            raise MidiUnavailableError(f"{name} cannot be opened: {error}") from None

    def close(self) -> None:
        """Stop delivering."""
        self._client.close_port()
        self._client.delete()


def _make_client(api: str) -> Any:
    try:
        import rtmidi
    except ImportError as error:
        raise MidiUnavailableError(f"MIDI needs python-rtmidi: pip install python-rtmidi ({error})") from None
    if api not in DRIVERS:
        raise MidiUnavailableError(f"{BACKEND_VARIABLE} asks for {api}, which is none of {', '.join(DRIVERS)}")
    try:
        return rtmidi.MidiIn(rtmidi.get_compiled_api_by_name(DRIVERS[api]), name=CLIENT_NAME)
    except rtmidi.RtMidiError as error:
        raise MidiUnavailableError(f"the MIDI driver {api} does not answer: {error}") from None
