"""MIDI clock with the faults it has on stage: jitter, bunched and lost ticks, starts in mid-stream, silence."""

from __future__ import annotations

import random

import pytest

from vj.tempo.midi_clock import CONTINUE, SONG_POSITION, START, STOP, TICK, MidiClockInput

SECOND_NS = 1_000_000_000


class Sequencer:
    """Ticks at a known tempo, as badly as asked."""

    def __init__(self, bpm: float, jitter_ns: float = 0.0, lost: float = 0.0, seed: int = 1) -> None:
        self.clock = MidiClockInput()
        self.bpm, self.jitter_ns, self.lost = bpm, jitter_ns, lost
        self.now_ns = 7 * SECOND_NS  # true time of the next tick
        self.ticks = 0
        self._random = random.Random(seed)

    def send(self, *message: int) -> None:
        self.clock.receive(message, int(self.now_ns))

    def run(self, beats: float) -> None:
        for _ in range(round(beats * 24)):
            late_ns = self._random.uniform(0.0, self.jitter_ns)
            if self._random.random() >= self.lost:
                self.clock.receive([TICK], int(self.now_ns + late_ns))
            self.ticks += 1
            self.now_ns += 60 * SECOND_NS / self.bpm / 24

    def lead(self):
        return self.clock.lead(int(self.now_ns))

    @property
    def beat(self) -> float:
        return self.lead().line.beat_at(int(self.now_ns))


@pytest.mark.parametrize("bpm", [60, 97.3, 120, 140, 174, 200])
@pytest.mark.parametrize(("jitter_ns", "lost"), [(0, 0.0), (5_333_000, 0.0), (3_000_000, 0.02)])
def test_the_tempo_is_found_within_a_thousandth(bpm, jitter_ns, lost):
    sequencer = Sequencer(bpm, jitter_ns, lost)
    sequencer.send(START)
    sequencer.run(16)
    for _ in range(8):
        sequencer.run(1)
        assert sequencer.lead().line.bpm == pytest.approx(bpm, rel=1e-3)


@pytest.mark.parametrize(("jitter_ns", "lost"), [(0, 0.0), (5_333_000, 0.0), (3_000_000, 0.02)])
def test_the_beat_is_where_the_sequencer_is(jitter_ns, lost):
    sequencer = Sequencer(120, jitter_ns, lost)
    sequencer.send(START)
    sequencer.run(12)
    late_beats = jitter_ns / 2 / SECOND_NS * 2  # the mean delay belongs to the cable
    assert sequencer.beat == pytest.approx(12.0 - late_beats, abs=0.006)
    assert sequencer.lead().beats_mean == 4


def test_a_late_bunch_is_not_taken_for_lost_ticks():
    sequencer = Sequencer(120)
    sequencer.send(START)
    sequencer.run(8)
    for k in range(3):  # 60 ms of silence, then three at once
        sequencer.clock.receive([TICK], int(sequencer.now_ns + 60_000_000 + k * 100_000))
    sequencer.now_ns += 3 * SECOND_NS / 48
    sequencer.run(2)
    assert sequencer.beat == pytest.approx(10 + 3 / 24, abs=0.005)
    assert sequencer.lead().line.bpm == pytest.approx(120, rel=1e-3)


@pytest.mark.parametrize("stall_ticks", [4, 8, 14, 20])
def test_a_sender_that_stalls_and_catches_up_changes_nothing(stall_ticks):
    sequencer = Sequencer(140, 2_000_000)
    sequencer.send(START)
    sequencer.run(6)
    gap_ns = 60 * SECOND_NS / 140 / 24
    for k in range(stall_ticks):
        sequencer.clock.receive([TICK], int(sequencer.now_ns + stall_ticks * gap_ns + k * 50_000))
    sequencer.now_ns += stall_ticks * gap_ns
    for _ in range(8):
        sequencer.run(0.25)
        assert sequencer.lead().line.bpm == pytest.approx(140, rel=0.01)
    sequencer.run(6)
    assert sequencer.beat == pytest.approx(14 + stall_ticks / 24, abs=0.01)


def test_a_new_tempo_is_followed_within_two_beats():
    sequencer = Sequencer(120, 1_000_000)
    sequencer.run(12)
    sequencer.bpm = 132
    sequencer.run(2)
    assert sequencer.lead().line.bpm == pytest.approx(132, rel=0.01)
    sequencer.run(10)
    assert sequencer.lead().line.bpm == pytest.approx(132, rel=1e-3)


def test_ticks_without_a_start_give_the_tempo_alone():
    sequencer = Sequencer(128)
    sequencer.run(4)
    assert sequencer.lead().beats_mean == pytest.approx(1 / 24)
    assert not sequencer.clock.is_playing


def test_start_in_mid_stream_begins_a_bar():
    sequencer = Sequencer(128)
    sequencer.run(3.7)
    sequencer.send(START)
    sequencer.run(5)
    assert sequencer.clock.is_playing
    assert sequencer.beat == pytest.approx(5.0, abs=1e-3)


def test_stop_song_position_and_continue():
    sequencer = Sequencer(128)
    sequencer.send(START)
    sequencer.run(6)
    sequencer.send(STOP)
    assert not sequencer.clock.is_playing
    sequencer.run(3)  # many devices tick on
    sixteenths = 4 * 9 + 2
    sequencer.send(SONG_POSITION, sixteenths & 0x7F, sixteenths >> 7)
    sequencer.send(CONTINUE)
    sequencer.run(2)
    assert sequencer.clock.is_playing
    assert sequencer.beat == pytest.approx(9.5 + 2, abs=1e-3)


def test_continue_goes_on_where_stop_was():
    sequencer = Sequencer(100)
    sequencer.send(START)
    sequencer.run(6)
    sequencer.send(STOP)
    sequencer.run(1.25)
    sequencer.send(CONTINUE)
    sequencer.run(2)
    # what ran by while stopped does not count
    assert sequencer.beat == pytest.approx(8.0, abs=1e-3)


def test_silence_ends_the_lead_and_a_new_start_leads_again():
    sequencer = Sequencer(120)
    sequencer.send(START)
    sequencer.run(4)
    sequencer.now_ns += SECOND_NS
    assert sequencer.lead() is None
    sequencer.send(START)
    sequencer.run(4)
    assert sequencer.beat == pytest.approx(4.0, abs=1e-3)


def test_of_two_devices_the_first_is_heard_until_it_falls_silent():
    clock = MidiClockInput()
    for k in range(96):
        clock.receive([TICK], k * 20_833_333, "first")
        clock.receive([TICK], k * 20_833_333 + 9_000_000, "second")
    assert clock.lead(96 * 20_833_333).line.bpm == pytest.approx(120, rel=1e-3)
    assert clock.device == "first"
    for k in range(200, 296):
        clock.receive([TICK], k * 20_833_333, "second")
    assert clock.device == "second"


@pytest.mark.parametrize("message", [[], [0xF0, 1, 0xF7], [0xF2], [0xFE], [0xFF], [0x90, 1, 1]])
def test_what_is_no_clock_is_passed_over(message):
    clock = MidiClockInput()
    clock.receive(message, 1)
    assert clock.lead(2) is None
