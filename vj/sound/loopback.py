"""The computer's own sound as an input, by SoundCard, which is an extra: what its speakers play is listened to."""

from __future__ import annotations

import functools
import threading
import time
import warnings
from typing import Any

from vj.sound.portaudio import InputRefusedError, SoundUnavailableError
from vj.sound.sample_ring import SampleRing

LOOPBACK = "computer sound"  # such an input's name begins so; alone it means the usual speakers
RATE_HZ, CHANNELS, BLOCK_SAMPLES = 48000, 2, 256
STOP_S = 1.0
INSTALL = "pip install 'vj[loopback]'"


def is_loopback(name: str) -> bool:
    """Say whether a device name asks for the computer's own sound."""
    return name.casefold().startswith(LOOPBACK)


def list_loopbacks() -> tuple[str, ...]:
    """List the speakers that can be listened to; empty without SoundCard."""
    try:
        module = _load()
        return tuple(f"{LOOPBACK}: {speaker.name}" for speaker in module.all_speakers())
    except (SoundUnavailableError, RuntimeError):
        return ()


class LoopbackInput:
    """What one pair of speakers plays; a thread of its own writes into the ring."""

    def __init__(self, name: str) -> None:
        """Listen to the speakers named after the colon. Raises SoundUnavailableError or InputRefusedError."""
        module = _load()
        part = name[len(LOOPBACK) :].lstrip(" :").casefold()
        try:
            usual, speakers = module.default_speaker(), module.all_speakers()
            speaker = next((one for one in speakers if part in one.name.casefold()), None) if part else usual
            if speaker is None:
                there = ", ".join(one.name for one in speakers)
                raise SoundUnavailableError(f"no speakers have {part!r} in their name; there are: {there}")
            source = _source_of(module, speaker)
        except (RuntimeError, IndexError, KeyError) as error:
            raise SoundUnavailableError(f"the computer's own sound cannot be listened to: {error}") from None
        self.name = f"{LOOPBACK}: {speaker.name}"
        self.ring = SampleRing(RATE_HZ, CHANNELS)
        self._source = source
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="computer sound", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Say whether samples may still come."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop; waits at most a second."""
        self._is_stopping.set()
        self._thread.join(timeout=STOP_S)

    def _listen(self) -> None:
        try:
            with self._source.recorder(RATE_HZ, CHANNELS, BLOCK_SAMPLES) as recorder:
                while not self._is_stopping.is_set():
                    self.ring.write(recorder.record(BLOCK_SAMPLES), time.monotonic_ns())
        except (RuntimeError, AssertionError):  # the speakers are gone: the thread ends, which is seen
            return


def _source_of(module: Any, speaker: Any) -> Any:
    """Find the input that hears these speakers."""
    sources = module.all_microphones(include_loopback=True)
    wanted = (str(speaker.id), f"{speaker.id}.monitor")  # Windows; PulseAudio and PipeWire
    found = next((source for source in sources if source.isloopback and str(source.id) in wanted), None)
    if found is None:
        raise SoundUnavailableError(f"this system does not let {speaker.name} be listened to")
    return found


def _load() -> Any:
    """Return SoundCard. Raises SoundUnavailableError, or InputRefusedError where it cannot be used."""
    module, problem = _import_once()
    if module is None:
        raise InputRefusedError(f"the computer's own sound {problem}")
    return module


@functools.lru_cache(maxsize=1)
def _import_once() -> tuple[Any, str]:
    """Import SoundCard or say why not. It connects as it is imported and leaves a thread behind each time it fails."""
    warnings.filterwarnings("ignore", module="soundcard")  # it tells of each late block
    try:
        import soundcard
    except ImportError as error:
        return None, f"needs SoundCard: {INSTALL} ({error})"
    except (OSError, AssertionError, NotImplementedError) as error:
        return None, f"had no sound server when first asked for; start vj again once one runs ({error})"
    return soundcard, ""
