"""What a process that listens is asked and says through its pipes: a line of JSON in; lines of JSON, then blocks, out.

The listening process's end, which imports no numpy: it is to begin fast. The other end is child_input.py.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from engine.terminal import take_stdout

BLOCK_SAMPLES = 256
HEADER = struct.Struct("<qq")  # when the last sample was captured, time.monotonic_ns(); overflows since it was opened
SAMPLE_BYTES = 4  # float32
ROOM_BLOCKS = 96  # half a second of sound waits for a listener that stands still
ALIVE_EVERY_S = 0.1


class SoundUnavailableError(RuntimeError):
    """No sound from there now; the sentence says what is missing."""


class InputRefusedError(SoundUnavailableError):
    """The input is there and does not open; asking again at once would only keep its driver busy."""


class DriverFailedError(SoundUnavailableError):
    """A driver hangs, or has ended the process that called it."""


@dataclass(frozen=True)
class Request:
    """What is to be listened to."""

    device: str = ""  # a part of its name; empty is the system's own
    latency: str = "low"  # or "high"
    look_every_s: float = 1.0  # how long an input that is not there is waited for between two looks


@dataclass(frozen=True)
class Answer:
    """What was found. With a name it is open, and blocks follow; without one the next look's answer follows."""

    name: str = ""
    rate_hz: float = 0.0
    channels: int = 0
    problem: str = ""  # one sentence
    inputs: tuple[str, ...] | None = None  # every input there is; None = not looked for
    next_look_s: float = 0.0  # until this long from now nothing more is said

    @classmethod
    def from_line(cls, line: bytes) -> Answer:
        """Read what `Sender.say` wrote. Raises ValueError or TypeError for anything else."""
        fields: dict[str, Any] = json.loads(line)
        if fields["inputs"] is not None:
            fields["inputs"] = tuple(fields["inputs"])
        return cls(**fields)


def read_request() -> Request:
    """Read what is asked for, in the process that listens. Raises ValueError or TypeError for anything else."""
    return Request(**json.loads(sys.stdin.buffer.readline()))


class Sender:
    """Says what is found and sends what is heard.

    `put` may be called by a driver's thread, `stop` by any, the rest by one other.
    """

    def __init__(self) -> None:
        self._output = os.fdopen(take_stdout(), "wb")
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.is_stopped = threading.Event()
        self._overflows = 0
        self._is_full = False

    def say(self, answer: Answer) -> None:
        """Write a line. Raises BrokenPipeError when nobody listens any more."""
        self._output.write(json.dumps(asdict(answer)).encode() + b"\n")
        self._output.flush()

    def put(self, samples: bytes, end_ns: int, has_lost: bool) -> None:
        """Have BLOCK_SAMPLES sent whose last was captured at `end_ns`. Never waits, never raises.

        A listener that stands still loses what there is no room for; that is one overflow, however long it takes.
        """
        self._overflows += has_lost
        if self._waiting.qsize() >= ROOM_BLOCKS:
            self._overflows += not self._is_full
            self._is_full = True
            return
        self._is_full = False
        self._waiting.put(HEADER.pack(end_ns, self._overflows) + samples)

    def send_while(self, is_alive: Callable[[], bool]) -> None:
        """Send what is put until no more can come or it is stopped. Raises BrokenPipeError when nobody listens."""
        while True:
            try:
                block = self._waiting.get(timeout=ALIVE_EVERY_S)
            except queue.Empty:
                if not is_alive():
                    return
                continue
            if self.is_stopped.is_set():
                return
            self._output.write(block)
            self._output.flush()

    def stop(self) -> None:
        """Have `send_while` return soon."""
        self.is_stopped.set()
        self._waiting.put(b"")
