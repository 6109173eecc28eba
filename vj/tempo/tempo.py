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
from vj.sound.features import SILENCE, SoundFeatures
from vj.tempo.clock import Clock
from vj.tempo.latency import Latency, measure_latency
from vj.tempo.link import LinkSession
from vj.tempo.midi_clock import MidiClockInput
from vj.tempo.midi_clock_out import MidiClockOutput
from vj.tempo.midi_timecode import TimecodeFollower
from vj.tempo.params import MIDI_OUT_ADDRESS
from vj.tempo.quantise import Quantiser
from vj.tempo.sound_beat import SoundBeat

CHUNK_ADDRESS, PREEMPT_ADDRESS = "/vj/model/chunk", "/vj/model/preempt"


class Tempo:
    """Built, started and stopped by one thread; its parts say which threads may use them."""

    def __init__(
        self,
        controls: Controls,
        conductor: Conductor,
        generator: Callable[[], GeneratorStatus] = GeneratorStatus,
        playback: Callable[[], PlaybackStatus] = PlaybackStatus,
        sound: Callable[[], SoundFeatures] = lambda: SILENCE,
        send_midi: Callable[[bytes], None] = lambda message: None,
    ) -> None:
        """`generator`, `playback` and `sound` give what is newest and never wait; `send_midi` reaches every output.

        Nothing runs yet. The clock is ticked before anything added to the conductor later.
        """
        self._store = controls.store
        self._generator, self._playback = generator, playback
        self.clock = Clock(controls)
        self.midi_clock = MidiClockInput()
        self.link = LinkSession()
        self.midi_out = MidiClockOutput(self.clock, lambda: bool(self._store.get(MIDI_OUT_ADDRESS)), send_midi)
        self.timecode = TimecodeFollower()
        self.quantiser = Quantiser(controls, self.clock, self.latency)
        self.clock.follow("midi", self.midi_clock)
        self.clock.follow("link", self.link)
        self.clock.follow("sound", SoundBeat(sound))
        controls.wait_at(lambda press: self.quantiser.hold(press, time.monotonic_ns()))
        conductor.add(self.clock)
        conductor.add(self.quantiser)

    @property
    def problem(self) -> str:
        """What keeps the chosen source from leading, in a sentence; empty = nothing. Any thread."""
        return self.link.problem if self.clock.source == "link" else ""

    def start(self) -> None:
        """Let MIDI clock out whenever it is wanted; the rest runs on the conductor."""
        self.midi_out.start()

    def stop(self) -> None:
        """Leave the Link session, end the MIDI clock; waits at most two seconds. The conductor is stopped before."""
        self.midi_out.stop()
        self.link.stop()

    def latency(self) -> Latency:
        """What generator and display take now. Any thread; never waits."""
        chunk_frames = int(self._store.get(CHUNK_ADDRESS))
        begins_anew = self._store.get(PREEMPT_ADDRESS) == "cues"
        return measure_latency(self._generator(), self._playback(), chunk_frames, begins_anew=begins_anew)

    def hear_midi(self, device: str, message: Sequence[int], time_ns: int) -> None:
        """Take in a MIDI system message (first byte 0xF0 or more). Any thread; never waits long."""
        self.midi_clock.receive(message, time_ns, device)
        self.timecode.receive(message, time_ns)
