"""Sound inputs by PortAudio (sounddevice): listed by name, opened, listed anew. Knows nothing of what is measured.

Only for processes that may end: capture.py and listing.py. A computer without sound is told in a sentence.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from vj.sound.sound_pipe import BLOCK_SAMPLES, InputRefusedError, SoundUnavailableError

MOST_CHANNELS = 2  # of a many-channel interface the first two are heard
LONGEST_DELAY_S = 0.3  # a longer one is not believed: sound servers name such in their first second
WASAPI = "Windows WASAPI"
DRIVER_ORDER = (WASAPI, "Core Audio", "ALSA")  # of one device that several drivers list
INSTALL = "sudo apt install libportaudio2 (Debian, Ubuntu)"

GRACE_S = 0.8  # for the way out: a JACK server is held up by a client that goes without a word

Put = Callable[[bytes, int, bool], None]  # float32 samples, when the last was captured, whether some were lost


class PortAudio:
    """The inputs of this computer. Used by one thread.

    PortAudio lists devices once, when it is initialised: `renew` does that again, and no input may be open meanwhile.
    """

    def __init__(self) -> None:
        """Load the library, which may hang; a missing one is told later."""
        self._module: Any = None  # sounddevice
        self._failure = ""
        try:
            import sounddevice
        except ImportError as error:
            self._failure = f"sound needs sounddevice: pip install sounddevice ({error})"
        except OSError as error:
            self._failure = f"sound needs PortAudio: {INSTALL} ({error})"
        else:
            self._module = sounddevice

    def names(self) -> tuple[str, ...]:
        """List the inputs there were when PortAudio last looked, each name once. Raises SoundUnavailableError."""
        return tuple(dict.fromkeys(device["name"] for device in self._inputs()))

    def renew(self) -> None:
        """Have PortAudio look for devices again (25 to 100 ms, or it hangs). Raises SoundUnavailableError."""
        if self._module is None:
            raise SoundUnavailableError(self._failure)
        module = self._module
        try:
            if module._initialized:
                module._terminate()
            module._initialize()
        except module.PortAudioError as error:
            raise SoundUnavailableError(f"the sound driver does not answer: {error}") from None

    def open(self, part: str, latency: str, put: Put) -> OpenInput:
        """Open the first input with `part` in its name, the system's own for an empty one.

        `put` takes each block on the driver's thread and must not wait. Raises SoundUnavailableError, or
        InputRefusedError when it is there and does not open.
        """
        device = self._find(part)
        try:
            return OpenInput(self._module, device, latency, put)
        except self._module.PortAudioError as error:
            raise InputRefusedError(f"{device['name']} cannot be opened: {error}") from None

    def leave(self) -> NoReturn:
        """End this process; whatever is open is closed."""
        if self._module is None:
            os._exit(0)
        leave(self._module)

    def _inputs(self) -> list[dict[str, Any]]:
        if self._module is None:
            raise SoundUnavailableError(self._failure)
        try:
            drivers = [driver["name"] for driver in self._module.query_hostapis()]
            devices = [device for device in self._module.query_devices() if device["max_input_channels"] > 0]
        except self._module.PortAudioError as error:
            raise SoundUnavailableError(f"the sound driver does not answer: {error}") from None
        order = {name: place for place, name in enumerate(DRIVER_ORDER)}
        return sorted(devices, key=lambda device: order.get(drivers[device["hostapi"]], len(order)))

    def _find(self, part: str) -> dict[str, Any]:
        inputs = self._inputs()
        if not inputs:
            raise SoundUnavailableError("no sound input on this computer")
        if not part:
            own = self._module.default.device[0]
            name = next((device["name"] for device in inputs if device["index"] == own), inputs[0]["name"])
            return next(device for device in inputs if device["name"] == name)
        wanted = part.casefold()
        named = [device for device in inputs if device["name"].casefold() == wanted]
        named += [device for device in inputs if wanted in device["name"].casefold()]
        if not named:
            there = ", ".join(self.names())
            raise SoundUnavailableError(f"no sound input has {part!r} in its name; there are: {there}")
        return named[0]


class OpenInput:
    """One open input, whose samples PortAudio's thread hands over."""

    def __init__(self, module: Any, device: dict[str, Any], latency: str, put: Put) -> None:
        """Open and start it. Raises PortAudioError."""
        self.name: str = device["name"]
        self.rate_hz: float = device["default_samplerate"]
        self.channels: int = min(MOST_CHANNELS, device["max_input_channels"])
        self._block_s = BLOCK_SAMPLES / self.rate_hz
        self._put = put
        self._module = module
        self._stream = module.RawInputStream(
            device=device["index"],
            channels=self.channels,
            samplerate=self.rate_hz,
            extra_settings=_settings(module, device),
            dtype="float32",
            blocksize=BLOCK_SAMPLES,
            latency=latency,
            callback=self._take,
        )
        try:
            self._stream.start()
        except module.PortAudioError:
            self._stream.close(ignore_errors=True)
            raise

    def is_alive(self) -> bool:
        """Say whether samples may still come."""
        try:
            return bool(self._stream.active)
        except self._module.PortAudioError:
            return False

    def _take(self, samples: Any, count: int, times: Any, flags: Any) -> None:
        """Copy and return. The driver's thread: no waiting, no logging, nothing raised."""
        waited_s = times.currentTime - times.inputBufferAdcTime  # since the first of these samples was captured
        if not self._block_s <= waited_s <= LONGEST_DELAY_S:
            waited_s = self._block_s  # some drivers name no time, or one that cannot be
        end_ns = time.monotonic_ns() - int((waited_s - self._block_s) * 1e9)
        self._put(bytes(samples), end_ns, bool(flags))


def _settings(module: Any, device: dict[str, Any]) -> Any:
    """Let WASAPI mix channels: of a microphone array it refuses to open only some."""
    if module.query_hostapis(device["hostapi"])["name"] != WASAPI:
        return None
    return module.WasapiSettings(auto_convert=True)


def leave(module: Any) -> NoReturn:
    """End this process, which uses sounddevice `module`: in order where the driver lets it, by force where it hangs."""
    watch = threading.Timer(GRACE_S, os._exit, (0,))
    watch.daemon = True
    watch.start()
    with contextlib.suppress(module.PortAudioError):
        module._terminate()  # closes streams, too
    os._exit(0)
