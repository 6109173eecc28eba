"""The click of the flash test: one every whole second of time.monotonic_ns, when the output flashes too.

Plays in a process of its own, which a driver may end or hang: `python -m vj.sound.click` clicks until its stdin ends.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping

import numpy as np

from engine.parameter import Value
from engine.terminal import take_stdout
from vj.output.placing_params import FLASH_TEST_ADDRESS
from vj.processes.child import end_with_parent, python_command, python_environment
from vj.sound.portaudio import GRACE_S, leave

RATE_HZ = 48_000
TONE_HZ, LENGTH_S, LOUDNESS = 2000.0, 0.02, 0.7
SECOND_NS = 1_000_000_000
OPEN_S = 8.0  # a driver that takes longer hangs
LOOK_EVERY_S = 0.5  # at whether it still plays
AGAIN_NS = 5 * SECOND_NS  # before a click that has ended is begun anew


def click_samples(first_ns: int, count: int) -> np.ndarray:
    """Return `count` samples at RATE_HZ, the first heard at `first_ns` (time.monotonic_ns), as float32."""
    since_s = ((first_ns % SECOND_NS) * 1e-9 + np.arange(count) / RATE_HZ) % 1.0
    shape = LOUDNESS * np.sin(2.0 * np.pi * TONE_HZ * since_s) * (1.0 - since_s / LENGTH_S)
    return np.where(since_s < LENGTH_S, shape, 0.0).astype(np.float32)


class FlashClick:
    """A player of the conductor: starts and ends the clicking with the switch of the flash test."""

    def __init__(
        self, values: Callable[[], Mapping[str, Value]], tell: Callable[[str], None] = lambda sentence: None
    ) -> None:
        """`tell` takes a sentence when there is no click, each once."""
        self._values = values
        self._tell = tell
        self._told = ""
        self._begin_at_ns = 0  # not sooner
        self._child: subprocess.Popen[bytes] | None = None
        self._leaving: subprocess.Popen[bytes] | None = None  # has been let go and may still be ending

    def tick(self, now_ns: int) -> None:
        """Follow the switch."""
        if self._child is not None and self._child.poll() is not None:
            self._lose(self._child, now_ns)
            self._child = None
        is_wanted = bool(self._values()[FLASH_TEST_ADDRESS])
        if is_wanted and self._child is None and now_ns >= self._begin_at_ns:
            self._begin(now_ns)
        elif not is_wanted and self._child is not None:
            self._let_go()
        if self._leaving is not None and self._leaving.poll() is not None:
            _close(self._leaving)
            self._leaving = None

    def stop(self) -> None:
        """End the clicking and wait for it."""
        self._let_go()
        if self._leaving is not None:
            try:
                self._leaving.wait(1.0)
            except subprocess.TimeoutExpired:
                self._leaving.kill()
                self._leaving.wait()
            _close(self._leaving)
        self._leaving = None

    def _begin(self, now_ns: int) -> None:
        try:
            self._child = subprocess.Popen(
                python_command("vj.sound.click"),
                env=python_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            self._say(f"no process can be had: {error}", now_ns)

    def _lose(self, child: subprocess.Popen[bytes], now_ns: int) -> None:
        """Tell why it has ended, which nobody asked for."""
        said = child.stdout.read().decode(errors="replace") if child.stdout is not None else ""
        _close(child)
        self._say(said or f"the sound driver ended it (status {child.returncode})", now_ns)

    def _say(self, why: str, now_ns: int) -> None:
        self._begin_at_ns = now_ns + AGAIN_NS
        if why != self._told:
            self._tell(f"the flash test has no click: {why}; it is begun anew")
            self._told = why

    def _let_go(self) -> None:
        """Close the child's stdin: it sees that and goes by itself."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            self._leaving, self._child = self._child, None


def _close(child: subprocess.Popen[bytes]) -> None:
    """Close the pipes of a process that has ended."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def click(has_opened: Callable[[], object], is_over: threading.Event) -> str:
    """Click on the system's own sound output until it is gone or all is over; return what is wrong."""
    import sounddevice

    def play(block: np.ndarray, frames: int, at: object, status: object) -> None:
        lead_s = max(0.0, at.outputBufferDacTime - at.currentTime)  # until the first sample is heard
        block[:, :] = click_samples(time.monotonic_ns() + round(lead_s * SECOND_NS), frames)[:, None]

    try:
        stream = sounddevice.OutputStream(samplerate=RATE_HZ, channels=2, dtype="float32", callback=play)
        stream.start()
    except sounddevice.PortAudioError as error:
        return f"the sound output does not open ({error})"
    has_opened()
    with contextlib.suppress(sounddevice.PortAudioError):
        while stream.active and not is_over.wait(LOOK_EVERY_S):
            pass
    return "" if is_over.is_set() else "the sound output is gone"


def main() -> None:
    """Click until stdin ends, or say on stdout why there is no click."""
    output, is_over = os.fdopen(take_stdout(), "wb"), threading.Event()

    def say(why: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            output.write(why.encode())
            output.flush()

    def give_up() -> None:
        say("the sound driver does not answer")
        os._exit(0)

    end_with_parent(is_over.set, GRACE_S)
    watch = threading.Timer(OPEN_S, give_up)
    watch.daemon = True
    watch.start()
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        say(f"pip install sounddevice, and PortAudio ({error})")
        return
    say(click(watch.cancel, is_over))
    leave(sounddevice)


if __name__ == "__main__":
    main()
