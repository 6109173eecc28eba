"""The sound as a leader: wavering trackers, silence, another song, an unsure ear."""

from __future__ import annotations

import random

import pytest

from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.sound.features import SILENCE, SoundFeatures
from vj.tempo.clock import Clock
from vj.tempo.sound_beat import SoundBeat

SECOND_NS = 1_000_000_000
TICK_NS = SECOND_NS // 100


class Band:
    """Plays at a tempo; the tracker that hears it wavers. The clock follows on a pretended time."""

    def __init__(self, bpm: float, confidence: float = 0.9, waver: float = 0.0) -> None:
        self.now_ns = 20 * SECOND_NS
        self.bpm, self.confidence, self.waver = bpm, confidence, waver
        self.began_ns = self.now_ns
        self.is_playing = True
        self._random = random.Random(4)
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.clock = Clock(self.controls, lambda: self.now_ns)
        self.clock.follow("sound", SoundBeat(self.hear))
        self.controls.set("/vj/clock/source", "sound", "panel")

    def true_beat(self, at_ns: int) -> float:
        return (at_ns - self.began_ns) * self.bpm / 60 / SECOND_NS

    def hear(self) -> SoundFeatures:
        if not self.is_playing:
            return SILENCE
        beat_ns = self.began_ns + int(self.true_beat(self.now_ns)) * 60 * SECOND_NS / self.bpm
        off_ns = self._random.gauss(0.0, self.waver) * 60 * SECOND_NS / self.bpm
        bpm = self.bpm * (1 + self._random.gauss(0.0, self.waver / 2))
        return SoundFeatures(self.now_ns, bpm=bpm, bpm_confidence=self.confidence, beat_time_ns=int(beat_ns + off_ns))

    def run(self, seconds: float) -> list[float]:
        beats = []
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += TICK_NS
            self.clock.tick(self.now_ns)
            beats.append(self.clock.beat_at(self.now_ns))
        return beats

    @property
    def error(self) -> float:
        apart = self.clock.beat_at(self.now_ns) - self.true_beat(self.now_ns)
        return abs(apart - round(apart))


def steps(beats: list[float]) -> list[float]:
    return [b - a for a, b in zip(beats, beats[1:], strict=False)]


@pytest.mark.parametrize("bpm", [80, 120, 128, 174])
def test_the_clock_goes_with_a_wavering_tracker_and_wavers_less(bpm):
    band = Band(bpm, waver=0.04)
    band.run(8)
    worst = 0.0
    for _ in range(40):
        band.run(0.25)
        worst = max(worst, band.error)
        assert band.clock.state.bpm == pytest.approx(bpm, rel=0.01)
    assert worst < 0.03
    assert min(steps(band.run(5))) > 0.0
    assert band.clock.state.source == "sound"
    assert band.controls.store.get("/vj/clock/bpm") == pytest.approx(bpm, rel=0.01)


def test_silence_keeps_the_last_tempo_running():
    band = Band(134)
    band.run(6)
    band.is_playing = False
    before = band.clock.beat_at(band.now_ns)
    band.run(10)
    assert band.clock.state.source == "internal"
    assert band.clock.beat_at(band.now_ns) - before == pytest.approx(10 * 134 / 60, abs=0.01)


def test_an_unsure_ear_does_not_lead():
    band = Band(134, confidence=0.4)
    band.run(4)
    assert band.clock.state.source == "internal"
    assert band.clock.state.bpm == 120.0
    band.confidence = 0.6
    band.run(4)
    assert band.clock.state.source == "sound"
    band.confidence = 0.4  # doubted a little: it keeps the lead
    band.run(1)
    assert band.clock.state.source == "sound"


def test_another_song_is_joined_after_two_seconds():
    band = Band(128)
    band.run(5)
    band.bpm, band.began_ns = 96, band.now_ns
    band.run(1.5)
    assert band.clock.state.bpm > 96 * 1.02
    band.run(2)
    assert band.clock.state.bpm == pytest.approx(96, rel=0.01)
    band.run(3)
    assert band.error < 0.02


def test_a_wavering_tempo_is_not_written_to_the_store_at_every_tick():
    band = Band(128, waver=0.04)
    band.run(5)
    version = band.controls.store.version
    band.run(5)
    assert band.controls.store.version - version <= 21


def test_half_of_what_is_heard_stays_half():
    band = Band(174)
    band.run(5)
    band.controls.trigger("/vj/clock/half", "panel")
    band.run(6)
    assert band.clock.state.bpm == pytest.approx(87, rel=0.01)
    half_beat = band.clock.beat_at(band.now_ns) * 2 - band.true_beat(band.now_ns)
    assert abs(half_beat - round(half_beat)) < 0.03
