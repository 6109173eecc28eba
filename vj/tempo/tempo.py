"""Everything about the beat, built and connected: the clock, who may lead it, and what waits for it.

Knows no windows and no engine; their frozen statuses say what both take.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from engine.messages import GeneratorStatus
from vj.conductor import Conductor
from vj.controls import Controls
from vj.output.playback import PlaybackStatus
from vj.tempo.clock import Clock
from vj.tempo.latency import Latency, measure_latency
from vj.tempo.link import LinkSession
from vj.tempo.midi_clock import MidiClockInput
from vj.tempo.midi_timecode import TimecodeFollower
from vj.tempo.quantise import Quantiser

CHUNK_ADDRESS = "/vj/model/chunk"


class Tempo:
    """Built, started and stopped by one thread; its parts say which threads may use them."""

    def __init__(
        self,
        controls: Controls,
        conductor: Conductor,
        generator: Callable[[], GeneratorStatus] = GeneratorStatus,
        playback: Callable[[], PlaybackStatus] = PlaybackStatus,
    ) -> None:
        """`generator` and `playback` give the newest statuses and never wait.

        The clock is ticked before anything added to the conductor later.
        """
        self._store = controls.store
        self._generator, self._playback = generator, playback
        self.clock = Clock(controls)
        self.midi_clock = MidiClockInput()
        self.link = LinkSession()
        self.timecode = TimecodeFollower()
        self.quantiser = Quantiser(controls, self.clock, self.latency)
        self.clock.follow("midi", self.midi_clock)
        self.clock.follow("link", self.link)
        controls.wait_at(lambda press: self.quantiser.hold(press, time.monotonic_ns()))
        conductor.add(self.clock)
        conductor.add(self.quantiser)

    @property
    def problem(self) -> str:
        """What keeps the chosen source from leading, in a sentence; empty = nothing. Any thread."""
        return self.link.problem if self.clock.source == "link" else ""

    def stop(self) -> None:
        """Leave the Link session; waits at most a second. The conductor is stopped before."""
        self.link.stop()

    def latency(self) -> Latency:
        """What generator and display take now. Any thread; never waits."""
        chunk_frames = int(self._store.get(CHUNK_ADDRESS))
        return measure_latency(self._generator(), self._playback(), chunk_frames)

    def hear_midi(self, device: str, message: Sequence[int], time_ns: int) -> None:
        """Take in a MIDI system message (first byte 0xF0 or more). Any thread; never waits long."""
        self.midi_clock.receive(message, time_ns, device)
        self.timecode.receive(message, time_ns)
