"""The computer's own sound as an input, by SoundCard, which is an extra: what its speakers play is listened to.

It is recorded in a process of its own, `python -m vj.sound.loopback NAME`: when a sound server dies, its library ends
the process that uses it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import numpy as np

from vj.child_process import python_command, python_environment
from vj.sound.portaudio import InputRefusedError, SoundUnavailableError
from vj.sound.sample_ring import SampleRing

LOOPBACK = "computer sound"  # such an input's name begins so; alone it means the usual speakers
RATE_HZ, CHANNELS, BLOCK_SAMPLES = 48000, 2, 256
BLOCK_BYTES = BLOCK_SAMPLES * CHANNELS * np.dtype(np.float32).itemsize
START_S, STOP_S = 8.0, 1.0
INSTALL = "pip install 'vj[loopback]'"


def is_loopback(name: str) -> bool:
    """Say whether a device name asks for the computer's own sound."""
    return name.casefold().startswith(LOOPBACK)


class LoopbackInput:
    """What one pair of speakers plays; a thread of its own writes into the ring."""

    def __init__(self, name: str) -> None:
        """Listen to the speakers named after the colon. Raises InputRefusedError.

        Waits for the process's first word.
        """
        self.ring = SampleRing(RATE_HZ, CHANNELS)
        try:
            self._process = subprocess.Popen(
                [*python_command("vj.sound.loopback"), name],
                env=python_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise InputRefusedError(f"the computer's own sound cannot be listened to: {error}") from None
        self._greeting: dict[str, str] = {}
        self._is_greeted = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="computer sound", daemon=True)
        self._thread.start()
        self._is_greeted.wait(START_S)
        self.name = self._greeting.get("name", "")
        if not self.name:
            self.close()
            why = self._greeting.get("problem", "cannot be listened to: no answer")
            raise InputRefusedError(f"the computer's own sound {why}")

    def is_alive(self) -> bool:
        """Say whether samples may still come."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop; waits at most a second."""
        self._process.kill()
        self._process.wait()
        self._thread.join(timeout=STOP_S)

    def _listen(self) -> None:
        """Take what the process says first, then its samples, until it ends."""
        pipe = self._process.stdout
        assert pipe is not None
        with pipe, contextlib.suppress(ValueError):  # it ended within a line
            self._greeting = json.loads(pipe.readline())
            self._is_greeted.set()
            while len(block := pipe.read(BLOCK_BYTES)) == BLOCK_BYTES:
                self.ring.write(np.frombuffer(block, np.float32).reshape(-1, CHANNELS), time.monotonic_ns())
        self._is_greeted.set()


def list_loopbacks() -> tuple[str, ...]:
    """List the speakers that can be listened to; empty without SoundCard. Only in a process that may end."""
    try:
        return tuple(f"{LOOPBACK}: {speaker.name}" for speaker in _load().all_speakers())
    except (SoundUnavailableError, RuntimeError):
        return ()


def _record(name: str) -> None:
    """Write a line about these speakers to stdout, then what they play, for ever."""
    output = sys.stdout.buffer
    try:
        speaker, source = _find(name)
    except SoundUnavailableError as error:
        output.write(json.dumps({"problem": str(error)}).encode() + b"\n")
        return
    with source.recorder(RATE_HZ, CHANNELS, BLOCK_SAMPLES) as recorder:
        output.write(json.dumps({"name": f"{LOOPBACK}: {speaker.name}"}).encode() + b"\n")
        while True:
            output.write(np.ascontiguousarray(recorder.record(BLOCK_SAMPLES), np.float32).tobytes())
            output.flush()


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
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the listener is gone
        _record(sys.argv[1])
