"""A sound input in a process of its own, as the panels have it in hand: asked for, waited for, heard, ended.

Sound drivers may hang, or end the process that calls them: it is this one, which is begun anew then.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from dataclasses import asdict

import numpy as np

from vj.processes.child import python_command, python_environment
from vj.sound.sample_ring import SampleRing
from vj.sound.sound_pipe import (
    BLOCK_SAMPLES,
    HEADER,
    SAMPLE_BYTES,
    Answer,
    DriverFailedError,
    Request,
    SoundUnavailableError,
)

ANSWER_S = 8.0  # a process that says nothing for so long hangs
STOP_S, KILL_S = 1.0, 0.25


class ChildInput:
    """What `python -m MODULE` hears; a thread of its own fills the ring. Begun, asked and closed by one thread."""

    def __init__(self, module: str, request: Request) -> None:
        """Begin; never waits for the driver. Raises SoundUnavailableError when no process can be had."""
        self.answer = Answer()  # the newest
        self.ring: SampleRing | None = None  # from when the input is open
        self._hangs_from_s = time.monotonic() + ANSWER_S
        try:
            self._process = subprocess.Popen(
                python_command(module),
                env=python_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise SoundUnavailableError(f"no process can be had to listen in: {error}") from None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended already
            self._process.stdin.write(json.dumps(asdict(request)).encode() + b"\n")
            self._process.stdin.flush()
        self._thread = threading.Thread(target=self._listen, name="sound pipe", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Say whether answers or samples may still come."""
        return self._thread.is_alive()

    def check(self) -> None:
        """Raise DriverFailedError when it hangs or was ended unopened, SoundUnavailableError when it gave up."""
        if time.monotonic() > self._hangs_from_s:
            raise DriverFailedError(f"the sound driver does not answer within {ANSWER_S:g} s; it is asked again")
        if self.is_alive() or self.ring is not None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        status = self._process.returncode
        if status == 0 and self.answer.problem:
            raise SoundUnavailableError(self.answer.problem)
        how = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
        raise DriverFailedError(f"the sound driver ended the process that calls it ({how}); it is asked again")

    def close(self) -> None:
        """Have it end, and end it if it does not; waits at most a second and a half."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(KILL_S)
        self._thread.join(timeout=KILL_S)

    def _listen(self) -> None:
        """Take answers until the input is open, then its samples, until the process ends."""
        pipe = self._process.stdout
        assert pipe is not None
        with pipe, contextlib.suppress(ValueError, TypeError, KeyError):  # it ended within a line
            while not self.answer.name:
                self.answer = Answer.from_line(pipe.readline())
                self._hangs_from_s = time.monotonic() + self.answer.next_look_s + ANSWER_S
            channels = self.answer.channels
            ring = SampleRing(self.answer.rate_hz, channels)
            self._hangs_from_s = float("inf")  # whether samples come is the listener's to see
            self.ring = ring
            size = HEADER.size + BLOCK_SAMPLES * channels * SAMPLE_BYTES
            while len(block := pipe.read(size)) == size:
                end_ns, ring.overflows = HEADER.unpack_from(block)
                ring.write(np.frombuffer(block, np.float32, offset=HEADER.size).reshape(-1, channels), end_ns)
