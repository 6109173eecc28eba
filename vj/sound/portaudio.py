"""Sound inputs by PortAudio (sounddevice): listed by name, opened, listed anew. Knows nothing of what is measured.

A computer without sound is told in a sentence, and no driver writes to the terminal.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import sys
import time
from typing import Any, Protocol

import numpy as np

from vj.sound.sample_ring import SampleRing

CALLBACK_SAMPLES = 256
MOST_CHANNELS = 2  # of a many-channel interface the first two are heard
LONGEST_DELAY_S = 0.3  # a longer one is not believed: sound servers name such in their first second
WASAPI = "Windows WASAPI"
DRIVER_ORDER = (WASAPI, "Core Audio", "ALSA")  # of one device that several drivers list
INSTALL = "sudo apt install libportaudio2 (Debian, Ubuntu)"


class SoundUnavailableError(RuntimeError):
    """No sound from there now; the sentence says what is missing."""


class InputRefusedError(SoundUnavailableError):
    """The input is there and does not open; asking again at once would only make its driver talk."""


class OpenInput(Protocol):
    """An input that fills its ring until it is closed."""

    name: str
    ring: SampleRing

    def is_alive(self) -> bool:
        """Say whether samples may still come."""
        ...

    def close(self) -> None:
        """Stop; the ring is written no more."""
        ...


class PortAudio:
    """The inputs of this computer. Made before other threads log; then used by one thread.

    PortAudio lists devices once, when it is initialised: `renew` does that again, and no input may be open meanwhile.
    """

    def __init__(self) -> None:
        """Load the library. Loading it turns the process's stderr away for a moment; a missing one is told later."""
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
            _silence_drivers()

    def names(self) -> tuple[str, ...]:
        """List the inputs there were when PortAudio last looked, each name once. Raises SoundUnavailableError."""
        return tuple(dict.fromkeys(device["name"] for device in self._inputs()))

    def renew(self) -> None:
        """Have PortAudio look for devices again (25 to 100 ms). Raises SoundUnavailableError."""
        if self._module is None:
            raise SoundUnavailableError(self._failure)
        module = self._module
        try:
            if module._initialized:
                module._terminate()
            # not module._initialize(): it would turn the whole process's stderr away each time
            module._check(module._lib.Pa_Initialize())
            module._initialized += 1
        except module.PortAudioError as error:
            raise SoundUnavailableError(f"the sound driver does not answer: {error}") from None

    def open(self, part: str, latency: str = "low") -> OpenInput:
        """Open the first input with `part` in its name, the system's own for an empty one.

        Raises SoundUnavailableError, or InputRefusedError when it is there and does not open.
        """
        device = self._find(part)
        try:
            return _PortAudioInput(self._module, device, latency)
        except self._module.PortAudioError as error:
            raise InputRefusedError(f"{device['name']} cannot be opened: {error}") from None

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


class _PortAudioInput:
    """One open input; PortAudio's thread writes into the ring."""

    def __init__(self, module: Any, device: dict[str, Any], latency: str) -> None:
        self.name: str = device["name"]
        channels = min(MOST_CHANNELS, device["max_input_channels"])
        self.ring = SampleRing(device["default_samplerate"], channels)
        self._block_s = CALLBACK_SAMPLES / self.ring.rate_hz
        self._module = module
        self._stream = module.InputStream(
            device=device["index"],
            channels=channels,
            samplerate=self.ring.rate_hz,
            extra_settings=_settings(module, device),
            dtype="float32",
            blocksize=CALLBACK_SAMPLES,
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

    def close(self) -> None:
        """Stop at once."""
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def _take(self, samples: np.ndarray, count: int, times: Any, flags: Any) -> None:
        """Copy and return. The driver's thread: no waiting, no logging, nothing raised."""
        waited_s = times.currentTime - times.inputBufferAdcTime  # since the first of these samples was captured
        if not self._block_s <= waited_s <= LONGEST_DELAY_S:
            waited_s = self._block_s  # some drivers name no time, or one that cannot be
        if flags:
            self.ring.overflows += 1
        self.ring.write(samples, time.monotonic_ns() - int((waited_s - self._block_s) * 1e9))


def _settings(module: Any, device: dict[str, Any]) -> Any:
    """Let WASAPI mix channels: of a microphone array it refuses to open only some."""
    if module.query_hostapis(device["hostapi"])["name"] != WASAPI:
        return None
    return module.WasapiSettings(auto_convert=True)


@functools.cache
def _silence_drivers() -> None:
    """Keep ALSA and JACK from writing to the terminal whenever a device is missing.

    They are given a C function that takes no arguments and does nothing, which is safe on any thread and at exit.
    """
    if not sys.platform.startswith("linux"):
        return
    nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    setters = {"asound": ("snd_lib_error_set_handler",), "jack": ("jack_set_error_function", "jack_set_info_function")}
    for library, names in setters.items():
        path = ctypes.util.find_library(library)
        if path is None:
            continue
        try:
            loaded = ctypes.CDLL(path)
            for name in names:
                loaded[name](nothing)
        except (OSError, AttributeError):
            continue  # a library without it does not write
