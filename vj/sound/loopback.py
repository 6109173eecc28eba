"""The computer's own sound as an input, by SoundCard, which is an extra: what its speakers play is listened to.

It is recorded in a process of its own, `python -m vj.sound.loopback`: when a sound server dies, its library ends
the process that uses it.
"""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from typing import Any

import numpy as np

from vj.processes.child import end_with_parent
from vj.sound.sound_pipe import BLOCK_SAMPLES, Answer, Sender, SoundUnavailableError, read_request

LOOPBACK = "computer sound"  # such an input's name begins so; alone it means the usual speakers
OWN_SOUND = "the computer's own sound"  # in sentences
RATE_HZ, CHANNELS = 48000, 2
INSTALL = "pip install 'vj[loopback]'"


def is_loopback(name: str) -> bool:
    """Say whether a device name asks for the computer's own sound."""
    return name.casefold().startswith(LOOPBACK)


def list_loopbacks() -> tuple[str, ...]:
    """List the speakers that can be listened to; empty without SoundCard. Only in a process that may end."""
    try:
        return tuple(f"{LOOPBACK}: {speaker.name}" for speaker in _load().all_speakers())
    except (SoundUnavailableError, RuntimeError):
        return ()


def record(name: str, sender: Sender) -> None:
    """Send what these speakers play, for ever, or say what is wrong and return."""
    try:
        speaker, source = _find(name)
    except SoundUnavailableError as error:
        sender.say(Answer(problem=f"{OWN_SOUND} {error}"))
        return
    with source.recorder(RATE_HZ, CHANNELS, BLOCK_SAMPLES) as recorder:
        sender.say(Answer(f"{LOOPBACK}: {speaker.name}", RATE_HZ, CHANNELS))
        sending = threading.Thread(target=sender.send_while, args=(lambda: True,), name="sending", daemon=True)
        sending.start()
        while sending.is_alive():
            samples = np.ascontiguousarray(recorder.record(BLOCK_SAMPLES), np.float32)
            sender.put(samples.tobytes(), time.monotonic_ns(), False)


def _find(name: str) -> tuple[Any, Any]:
    """Return the speakers of this name and the source that hears them. Raises SoundUnavailableError."""
    part = name[len(LOOPBACK) :].lstrip(" :").casefold()
    module = _load()
    try:
        speakers = module.all_speakers() if part else [module.default_speaker()]
        named = [speaker for speaker in speakers if part in speaker.name.casefold()]
        sources = [source for source in module.all_microphones(include_loopback=True) if source.isloopback]
    except (RuntimeError, IndexError, KeyError) as error:
        raise SoundUnavailableError(f"cannot be listened to: {error}") from None
    if not named:
        there = ", ".join(speaker.name for speaker in speakers)
        raise SoundUnavailableError(f"has no speakers with {part!r} in their name; there are: {there}")
    ids = (str(named[0].id), f"{named[0].id}.monitor")  # Windows; PulseAudio and PipeWire
    for source in sources:
        if str(source.id) in ids:
            return named[0], source
    raise SoundUnavailableError(f"cannot be listened to: this system lends nobody what {named[0].name} plays")


def _load() -> Any:
    """Import SoundCard, which connects to the sound server as it is imported. Raises SoundUnavailableError."""
    warnings.filterwarnings("ignore", module="soundcard")  # it tells of each late block
    try:
        import soundcard
    except ImportError as error:
        raise SoundUnavailableError(f"needs SoundCard: {INSTALL} ({error})") from None
    except (OSError, AssertionError, NotImplementedError) as error:
        raise SoundUnavailableError(f"cannot be listened to: no sound server answers ({error})") from None
    return soundcard


if __name__ == "__main__":
    asked = read_request()
    end_with_parent()
    with contextlib.suppress(BrokenPipeError):  # the listener is gone
        record(asked.device, Sender())
