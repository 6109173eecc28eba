"""The click of the flash test: one every whole second of time.monotonic_ns, when the output flashes too.

Plays in a process of its own: PortAudio is begun anew in the instrument's whenever an input is lost, and would take
an open output down with it. `python -m vj.sound.click` clicks until its stdin ends.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

from engine.parameter import Value
from vj.output.placing_params import FLASH_TEST_ADDRESS

RATE_HZ = 48_000
TONE_HZ, LENGTH_S, LOUDNESS = 2000.0, 0.02, 0.7
SECOND_NS = 1_000_000_000
EXIT_FAILED = 1
_LOG = logging.getLogger(__name__)


def click_samples(first_ns: int, count: int) -> np.ndarray:
    """Return `count` samples at RATE_HZ, the first heard at `first_ns` (time.monotonic_ns), as float32."""
    since_s = ((first_ns % SECOND_NS) * 1e-9 + np.arange(count) / RATE_HZ) % 1.0
    shape = LOUDNESS * np.sin(2.0 * np.pi * TONE_HZ * since_s) * (1.0 - since_s / LENGTH_S)
    return np.where(since_s < LENGTH_S, shape, 0.0).astype(np.float32)


class FlashClick:
    """A player of the conductor: starts and ends the clicking with the switch of the flash test."""

    def __init__(self, values: Callable[[], Mapping[str, Value]]) -> None:
        self._values = values
        self._child: subprocess.Popen[bytes] | None = None
        self._leaving: subprocess.Popen[bytes] | None = None  # has been let go and may still be ending

    def tick(self, now_ns: int) -> None:
        """Follow the switch."""
        is_wanted = bool(self._values()[FLASH_TEST_ADDRESS])
        if is_wanted and self._child is None:
            self._child = subprocess.Popen([sys.executable, "-m", "vj.sound.click"], stdin=subprocess.PIPE)
        elif not is_wanted and self._child is not None:
            self._let_go()
        if self._leaving is not None and self._leaving.poll() is not None:
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
        self._leaving = None

    def _let_go(self) -> None:
        """Close the child's stdin: it sees that and goes by itself."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            self._leaving, self._child = self._child, None


def main() -> int:
    """Click on the system's own sound output until stdin ends; return the exit status."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        _LOG.warning("the flash test has no click: pip install sounddevice, and PortAudio (%s)", error)
        return EXIT_FAILED

    def play(block: np.ndarray, frames: int, at: object, status: object) -> None:
        lead_s = max(0.0, at.outputBufferDacTime - at.currentTime)  # until the first sample is heard
        block[:, :] = click_samples(time.monotonic_ns() + round(lead_s * SECOND_NS), frames)[:, None]

    try:
        with sounddevice.OutputStream(samplerate=RATE_HZ, channels=2, dtype="float32", callback=play):
            sys.stdin.read()
    except sounddevice.PortAudioError as error:
        _LOG.warning("the flash test has no click: the sound output does not open (%s)", error)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
