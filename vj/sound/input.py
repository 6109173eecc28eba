"""The ear of the instrument: one thread has an input opened, measures what comes in and begins anew what has gone.

Started and stopped by one thread; `features`, `status` and `devices` may be read by any.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.parameter import Value
from vj.sound.analysis import SoundAnalysis
from vj.sound.child_input import ChildInput
from vj.sound.features import SILENCE, SoundFeatures
from vj.sound.listing import Listing
from vj.sound.loopback import is_loopback
from vj.sound.params import SoundParams
from vj.sound.sample_ring import SampleRing
from vj.sound.sound_pipe import BLOCK_SAMPLES, Answer, DriverFailedError, Request, SoundUnavailableError

LOOK_EVERY_S = 1.0  # an input plugged in is heard within this time
REFUSED_WAIT_S = 5.0  # before a process that hung, or ended before its input was open, is begun anew
NO_SAMPLES_S = 5.0  # an open input without any is opened anew; a sleeping sound server takes two
SHORTEST_WAIT_S = 0.001
POLL_S = 0.002  # how often the last samples of a block are looked for
ASKED_EVERY_S = 0.1
OPENED_EVERY_S = 0.05  # how often an input that is not open yet is looked at
OVERFLOWS = 20  # so many since it was opened, and an input is opened anew with a longer latency
STOP_S = 2.0

Snapshot = tuple[int, Mapping[str, Value]]  # version and values, as ParameterStore.versioned_snapshot() returns them


@dataclass(frozen=True)
class SoundStatus:
    """What is listened to, and what keeps the sound away."""

    device: str = ""  # the open input's name
    problem: str = "no sound input yet"  # one sentence, or nothing
    overflows: int = 0  # how often samples were lost since the input was opened


class BegunInput(Protocol):
    """An input that is being opened, and then fills its ring until it is closed."""

    answer: Answer  # what was found last
    ring: SampleRing | None  # from when it is open

    def is_alive(self) -> bool:
        """Say whether answers or samples may still come."""
        ...

    def check(self) -> None:
        """Raise SoundUnavailableError when it will not open any more."""
        ...

    def close(self) -> None:
        """Stop; the ring is written no more."""
        ...


def begin_input(request: Request) -> ChildInput:
    """Begin to listen in a process of its own; never waits for a driver. Raises SoundUnavailableError."""
    return ChildInput("vj.sound.loopback" if is_loopback(request.device) else "vj.sound.capture", request)


class SoundInput:
    """Listens to the input that the parameters name. A computer without sound is fine: features stay silent."""

    def __init__(
        self,
        read_values: Callable[[], Snapshot],
        begin: Callable[[Request], BegunInput] = begin_input,
        look_every_s: float = LOOK_EVERY_S,
        tell: Callable[[str], None] = lambda sentence: None,
        tee: Callable[[np.ndarray, int, float], None] | None = None,
    ) -> None:
        """`read_values` gives the newest parameter values and their version; it never waits. Nothing is opened yet.

        `tee` hears every block too: (n, channels) float32, when its last sample was captured, samples per second.
        `tell` takes a sentence when what was listened to goes, or a driver hangs or ends its process; on the
        listening thread.
        """
        self._tell = tell
        self._tee = tee
        self._told = ""
        self._read_values = read_values
        self._begin = begin
        self._look_every_s = look_every_s
        self._features = SILENCE
        self._status = SoundStatus()
        self._devices: tuple[str, ...] = ()
        self._listing = Listing()
        self._latency = "low"
        self._version = -1
        self._params = SoundParams()
        self._device = ""  # what was asked for last
        self._is_asked_for_devices = threading.Event()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)

    @property
    def features(self) -> SoundFeatures:
        """The newest block's. Any thread; never waits."""
        return self._features

    @property
    def status(self) -> SoundStatus:
        """What is listened to now. Any thread; never waits."""
        return self._status

    def devices(self) -> tuple[str, ...]:
        """Return the inputs known of, and have them looked for: the next call knows more. Any thread; never waits."""
        self._is_asked_for_devices.set()
        return self._devices

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Close the input; waits at most two seconds."""
        self._is_stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=STOP_S)

    def _run(self) -> None:
        wait_s = 0.0
        while not self._wait(wait_s):
            self._device = self._newest_params().device
            wait_s = SHORTEST_WAIT_S
            try:
                with closing(self._begin(Request(self._device, self._latency, self._look_every_s))) as begun:
                    ring = self._wait_until_open(begun)
                    if ring is None:  # another is wanted
                        continue
                    problem = self._listen(begun, ring)
            except DriverFailedError as error:
                problem, wait_s = str(error), REFUSED_WAIT_S
                self._tell_once(problem)
            except SoundUnavailableError as error:
                problem, wait_s = str(error), REFUSED_WAIT_S
            else:
                if problem:
                    wait_s = self._look_every_s
                    self._tell_once(problem)
            self._features = SILENCE
            self._status = SoundStatus(problem=problem) if problem else SoundStatus()
        self._listing.stop()

    def _wait(self, wait_s: float) -> bool:
        """Wait for this long or until another device is asked for; return whether it is time to stop."""
        until_s = time.monotonic() + wait_s
        while time.monotonic() < until_s and self._newest_params().device == self._device:
            self._look_after_list()
            if self._is_stopping.wait(min(wait_s, ASKED_EVERY_S)):
                return True
        return self._is_stopping.is_set()

    def _wait_until_open(self, begun: BegunInput) -> SampleRing | None:
        """Return its ring once it is open, None when it is not wanted any more. Raises SoundUnavailableError."""
        last = None
        while self._newest_params().device == self._device and not self._is_stopping.wait(OPENED_EVERY_S):
            ring, answer = begun.ring, begun.answer
            if answer is not last and answer.inputs is not None:
                self._devices = (*answer.inputs, *filter(is_loopback, self._devices))
            if ring is not None:
                return ring
            if answer is not last and answer.problem:
                self._status = SoundStatus(problem=answer.problem)
            last = answer
            begun.check()
            self._look_after_list()
        return None

    def _listen(self, opened: BegunInput, ring: SampleRing) -> str:
        """Measure until the input has to be opened anew; return what went wrong, if anything did."""
        name = opened.answer.name
        self._status = SoundStatus(name, "")
        analysis = SoundAnalysis(ring.rate_hz)
        ring.tee = self._tee
        heard_s = looked_s = time.monotonic()
        while not self._is_stopping.is_set():
            block = ring.read(analysis.block)
            if block is not None:
                self._features = analysis.feed(block.samples, block.end_ns, self._newest_params(), block.lost)
                heard_s = time.monotonic()
                continue
            now_s = time.monotonic()
            if now_s - looked_s > ASKED_EVERY_S:
                looked_s = now_s
                if self._newest_params().device != self._device or self._needs_longer_latency(name, ring):
                    return ""
                if not opened.is_alive():
                    return f"{name} is gone; it is looked for"
                if now_s - heard_s > NO_SAMPLES_S:
                    return f"{name} is silent: no samples come"
                self._look_after_list()
            # not the event's wait, which costs several times as much and would be asked 100 times a second
            time.sleep(max(POLL_S, (ring.missing(analysis.block) - BLOCK_SAMPLES) / ring.rate_hz))
        return ""

    def _needs_longer_latency(self, name: str, ring: SampleRing) -> bool:
        """Tell lost samples; when they are many, say once that the input is to be opened anew."""
        overflows = ring.overflows
        if overflows != self._status.overflows:
            self._status = SoundStatus(name, "", overflows)
        if overflows <= OVERFLOWS or self._latency == "high":
            return False
        self._latency = "high"
        return True

    def _newest_params(self) -> SoundParams:
        version, values = self._read_values()
        if version != self._version:
            self._version, self._params = version, SoundParams.from_values(values)
        return self._params

    def _look_after_list(self) -> None:
        """List anew in another process when asked for: with an input open PortAudio cannot."""
        if self._is_asked_for_devices.is_set():
            self._is_asked_for_devices.clear()
            self._listing.ask()
        try:
            names = self._listing.take()
        except DriverFailedError as error:
            self._tell_once(str(error))
            return
        if names is not None:
            self._devices = names

    def _tell_once(self, problem: str) -> None:
        if problem != self._told:
            self._tell(f"sound: {problem}")
            self._told = problem
