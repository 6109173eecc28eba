"""The two libraries that reach MIDI ports, behind one protocol: python-rtmidi, or rtmidi2 where that has no wheel.

Knows nothing of messages or of which driver to choose.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from vj.controllers.quiet_drivers import silence_drivers

CLIENT_NAME = "vj"
LAST_CALL_S = 0.02  # for a delivery that has already begun
QUEUE_MESSAGES = 4096  # held by the library between two calls of Python
DRIVERS = {"LINUX_ALSA": "alsa", "UNIX_JACK": "jack", "MACOSX_CORE": "core", "WINDOWS_MM": "winmm", "UNSPECIFIED": ""}
"""Names of the systems' drivers, as in mido's environment variable, and python-rtmidi's short names for them."""

OnBytes = Callable[[Sequence[int], int], None]  # one whole message, time.monotonic_ns(); on the driver's thread


class MidiUnavailableError(RuntimeError):
    """No MIDI here now; the sentence says what is missing."""


class OpenPort(Protocol):
    """A port that delivers until it is closed."""

    def close(self) -> None:
        """Stop delivering; waits for a delivery in progress."""
        ...


class OpenOutput(Protocol):
    """A port that takes messages. One thread at a time."""

    def send(self, message: bytes) -> None:
        """Send one whole message. What the other side no longer takes is lost without a word."""
        ...

    def close(self) -> None:
        """Let the port go; waits at most a second for what was sent last."""
        ...


class MidiDriver(Protocol):
    """One connection to the system's MIDI. Used by one thread."""

    def input_names(self) -> list[str]:
        """List the ports that send."""
        ...

    def output_names(self) -> list[str]:
        """List the ports that take messages."""
        ...

    def open_input(self, name: str, on_bytes: OnBytes) -> OpenPort:
        """Open a port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        ...

    def open_output(self, name: str) -> OpenOutput:
        """Open a port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


def make_driver(api: str) -> MidiDriver:
    """Connect to one of DRIVERS by whichever library is installed. Raises MidiUnavailableError."""
    if api not in DRIVERS:
        raise MidiUnavailableError(f"MIDI asks for {api}, which is none of {', '.join(DRIVERS)}")
    if importlib.util.find_spec("rtmidi"):
        return PythonRtMidi(api)
    if importlib.util.find_spec("rtmidi2"):
        return RtMidi2(api)
    raise MidiUnavailableError(
        "MIDI needs python-rtmidi (pip install python-rtmidi), or rtmidi2 from Python 3.13 on (pip install rtmidi2)"
    )


class PythonRtMidi:
    """By python-rtmidi. Keeps a client for each direction open to list ports with: making one costs a connection."""

    def __init__(self, api: str) -> None:
        import rtmidi

        silence_drivers()
        self._rtmidi = rtmidi
        self._api = rtmidi.get_compiled_api_by_name(DRIVERS[api])
        self._inputs = self._make(rtmidi.MidiIn)
        self._outputs = self._make(rtmidi.MidiOut)

    def input_names(self) -> list[str]:
        """List the ports that send."""
        return list(self._inputs.get_ports())

    def output_names(self) -> list[str]:
        """List the ports that take messages."""
        return list(self._outputs.get_ports())

    def open_input(self, name: str, on_bytes: OnBytes) -> OpenPort:
        """Open a port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        client = self._make(self._rtmidi.MidiIn)
        client.ignore_types(sysex=False, timing=False, active_sense=True)
        client.set_callback(lambda event, _: on_bytes(event[0], time.monotonic_ns()))
        return self._open(client, name)

    def open_output(self, name: str) -> OpenOutput:
        """Open a port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        return self._open(self._make(self._rtmidi.MidiOut), name)

    def close(self) -> None:
        """Let the connection go."""
        self._inputs.delete()
        self._outputs.delete()

    def _make(self, kind: Any) -> Any:
        try:
            return kind(self._api, name=CLIENT_NAME)
        except self._rtmidi.RtMidiError as error:
            raise MidiUnavailableError(f"the MIDI driver does not answer: {error}") from None

    def _open(self, client: Any, name: str) -> _RtMidiPort:
        try:
            client.open_port(client.get_ports().index(name), name=name)
        except (ValueError, self._rtmidi.RtMidiError) as error:
            client.delete()
            raise MidiUnavailableError(f"{name} cannot be opened: {error}") from None
        return _RtMidiPort(client, isinstance(client, self._rtmidi.MidiIn))


class _RtMidiPort:
    """One open port of python-rtmidi, either way."""

    def __init__(self, client: Any, is_input: bool) -> None:
        self._client = client
        self._is_input = is_input

    def send(self, message: bytes) -> None:
        """Send one whole message."""
        self._client.send_message(message)

    def close(self) -> None:
        """Let the port go."""
        if self._is_input:
            # closing holds the interpreter and waits for the driver's thread: that must not wait for the interpreter
            self._client.cancel_callback()
            time.sleep(LAST_CALL_S)
        self._client.close_port()
        self._client.delete()


class RtMidi2:
    """By rtmidi2. Its wheels carry a libjack that talks to JACK servers of its own age alone."""

    def __init__(self, api: str) -> None:
        import rtmidi2

        silence_drivers()
        self._rtmidi2 = rtmidi2
        names = {"WINDOWS_MM": rtmidi2.API_WINDOWS_MM, "MACOSX_CORE": rtmidi2.API_MACOSX_CORE}
        names |= {"LINUX_ALSA": rtmidi2.API_LINUX_ALSA, "UNIX_JACK": rtmidi2.API_UNIX_JACK}
        self._api = names.get(api, rtmidi2.API_UNSPECIFIED)
        self._inputs = self._make_input()
        self._outputs = self._make_output()

    def input_names(self) -> list[str]:
        """List the ports that send."""
        return list(self._inputs.ports)

    def output_names(self) -> list[str]:
        """List the ports that take messages."""
        return list(self._outputs.ports)

    def open_input(self, name: str, on_bytes: OnBytes) -> OpenPort:
        """Open a port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        client = self._make_input()
        client.ignore_types(midi_sysex=False, midi_time=False, midi_sense=True)
        client.callback = lambda message, _: on_bytes(message, time.monotonic_ns())
        return self._open(client, name)

    def open_output(self, name: str) -> OpenOutput:
        """Open a port by its listed name. Raises MidiUnavailableError when it is gone or taken."""
        return self._open(self._make_output(), name)

    def close(self) -> None:
        """Let the connection go."""
        del self._inputs, self._outputs

    def _make_input(self) -> Any:
        try:
            return self._rtmidi2.MidiIn(CLIENT_NAME, QUEUE_MESSAGES, self._api)
        except RuntimeError as error:
            raise MidiUnavailableError(f"the MIDI driver does not answer: {error}") from None

    def _make_output(self) -> Any:
        try:
            return self._rtmidi2.MidiOut(CLIENT_NAME, self._api)
        except RuntimeError as error:
            raise MidiUnavailableError(f"the MIDI driver does not answer: {error}") from None

    def _open(self, client: Any, name: str) -> _RtMidi2Port:
        try:
            client.open_port(list(client.ports).index(name))
        except (ValueError, RuntimeError) as error:
            raise MidiUnavailableError(f"{name} cannot be opened: {error}") from None
        return _RtMidi2Port(client, isinstance(client, self._rtmidi2.MidiIn))


class _RtMidi2Port:
    """One open port of rtmidi2, either way."""

    def __init__(self, client: Any, is_input: bool) -> None:
        self._client = client
        self._is_input = is_input

    def send(self, message: bytes) -> None:
        """Send one whole message."""
        self._client.send_raw(*message)

    def close(self) -> None:
        """Let the port go."""
        if self._is_input:
            self._client.callback = None
            time.sleep(LAST_CALL_S)
        self._client.close_port()
        del self._client
