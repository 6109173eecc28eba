"""The beat as everything musical reads it: by hand and led, without jumps, from any thread."""

from __future__ import annotations

import threading

import pytest

from vj.commands import CommandQueue
from vj.controls import Controls
from vj.parameters import ParameterStore
from vj.tempo.beat_line import BeatLine
from vj.tempo.clock import NUDGE_NS, Clock, Lead

SECOND_NS = 1_000_000_000
TICK_NS = SECOND_NS // 100


class Played:
    """A clock on a pretended time, ticked as the conductor does."""

    def __init__(self) -> None:
        self.now_ns = 5 * SECOND_NS
        self.controls = Controls(ParameterStore(), CommandQueue())
        self.clock = Clock(self.controls, lambda: self.now_ns)

    def run(self, seconds: float) -> list[float]:
        """Let time pass; return the beat after each tick."""
        beats = []
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += TICK_NS
            self.clock.tick(self.now_ns)
            beats.append(self.clock.beat_at(self.now_ns))
        return beats

    def press(self, name: str) -> None:
        self.controls.trigger(f"/vj/clock/{name}", "test")

    @property
    def beat(self) -> float:
        return self.clock.beat_at(self.now_ns)

    @property
    def held_bpm(self) -> float:
        return self.controls.store.get("/vj/clock/bpm")


class FixedLeader:
    """Leads with a line of its own for as long as it is heard."""

    def __init__(self, line: BeatLine, beats_mean: int = 1) -> None:
        self.line, self.beats_mean, self.is_heard = line, beats_mean, True

    def lead(self, now_ns: int) -> Lead | None:
        return Lead(self.line, 0.9, self.beats_mean, 2) if self.is_heard else None

    def begin(self, line: BeatLine) -> None:
        self.begun_with = line

    def end(self) -> None:
        self.is_heard = False

    def propose(self, line: BeatLine) -> bool:
        return False


@pytest.fixture
def played() -> Played:
    return Played()


def no_jump(beats: list[float], most: float) -> bool:
    return all(0.0 < b - a <= most for a, b in zip(beats, beats[1:], strict=False))


def off_grid(beat: float) -> float:
    """How far from a whole number."""
    return abs(beat - round(beat))


def test_beats_count_on_at_the_tempo_of_the_store(played):
    played.run(2)
    assert played.beat == pytest.approx(4.0)
    before = played.beat
    played.controls.set("/vj/clock/bpm", 90, "panel")
    beats = played.run(2)
    assert no_jump([before, *beats], 0.03)
    assert played.beat == pytest.approx(before + 3.0, abs=0.02)
    assert played.controls.store.moved_by("/vj/clock/bpm").source == "panel"


@pytest.mark.parametrize("beats", [1, 4, 8, 16])
def test_the_next_boundary_is_a_whole_number_of_steps_and_never_earlier(played, beats):
    played.run(1.23)
    for later_ns in range(0, 10 * SECOND_NS, 777_777_777):
        asked_ns = played.now_ns + later_ns
        found_ns = played.clock.next_boundary(beats, asked_ns)
        assert 0 <= found_ns - asked_ns <= beats * SECOND_NS / 2 + 1
        assert played.clock.beat_at(found_ns) / beats == pytest.approx(round(played.clock.beat_at(found_ns) / beats))
        assert played.clock.next_boundary(beats, found_ns) == found_ns


def test_times_and_beats_are_each_others_inverse_while_a_correction_runs(played):
    played.run(1.1)
    played.clock.nudge(-80_000_000)
    for ahead in range(-2, 40):
        beat = played.beat + ahead * 0.05
        assert played.clock.beat_at(played.clock.time_of_beat(beat)) == pytest.approx(beat, abs=1e-6)


@pytest.mark.parametrize(("name", "sign"), [("nudge/forward", 1), ("nudge/back", -1)])
def test_a_nudge_moves_the_phase_alone_and_smoothly(played, name, sign):
    played.run(1)
    before = played.beat
    for _ in range(3):
        played.press(name)
    beats = played.run(1)
    assert no_jump([before, *beats], 0.06)
    assert played.beat == pytest.approx(before + 2.0 + sign * 3 * NUDGE_NS / SECOND_NS * 2, abs=1e-6)
    assert played.held_bpm == 120.0


@pytest.mark.parametrize(("name", "bpm"), [("half", 60.0), ("double", 240.0)])
def test_half_and_double_keep_every_bar_and_do_not_jump(played, name, bpm):
    played.run(1.35)
    before = played.beat
    played.press(name)
    assert played.clock.state.bpm == bpm
    beats = played.run(6)
    assert no_jump([before, *beats], 0.045)
    assert played.held_bpm == bpm
    bar_ns = 5 * SECOND_NS + 2 * SECOND_NS  # the bar after the press, in the old tempo
    for k in range(4):
        old_bar_beat = played.clock.beat_at(bar_ns + k * 2 * SECOND_NS)
        assert old_bar_beat % (4 * min(1.0, bpm / 120)) == pytest.approx(0.0, abs=1e-6)


def test_a_tempo_beyond_the_range_is_not_doubled(played):
    played.controls.set("/vj/clock/bpm", 200, "panel")
    played.run(0.1)
    played.press("double")
    played.run(0.1)
    assert played.held_bpm == played.clock.state.bpm == 200.0


def test_resync_makes_now_the_first_beat_of_a_bar_without_going_back(played):
    played.run(1.7)
    before = played.beat
    played.press("resync")
    assert played.beat % 4 == 0.0
    assert played.beat > before


def test_four_taps_set_the_tempo_and_each_tap_the_phase(played):
    played.run(1.2)
    for k in range(4):
        played.press("tap")
        if k < 3:
            assert played.held_bpm == 120.0
            played.run(60 / 96)
    played.run(60 / 96)
    assert played.held_bpm == pytest.approx(96.0, rel=0.01)
    assert abs(played.beat - round(played.beat)) < 0.02
    assert played.controls.store.moved_by("/vj/clock/bpm").source == "clock tap"


def test_a_leader_is_followed_smoothly_and_its_tempo_written_to_the_store(played):
    played.run(1)
    leader = FixedLeader(BeatLine(played.now_ns - 130_000_000, 0.0, 97.0))
    played.clock.follow("midi", leader)
    played.controls.set("/vj/clock/source", "midi", "panel")
    beats = played.run(4)
    assert no_jump(beats, 0.06)
    assert played.clock.state.source == "midi"
    assert (played.clock.state.confidence, played.clock.state.peers) == (0.9, 2)
    assert off_grid(played.beat - leader.line.beat_at(played.now_ns)) < 1e-3
    assert played.held_bpm == 97.0
    assert played.controls.store.moved_by("/vj/clock/bpm").source == "clock midi"


def test_a_leader_that_knows_the_bar_gives_the_bar(played):
    played.run(1.3)
    leader = FixedLeader(BeatLine(played.now_ns, 2.0, 120.0), beats_mean=4)
    played.clock.follow("link", leader)
    played.controls.set("/vj/clock/source", "link", "panel")
    beats = played.run(2)
    assert all(b > a for a, b in zip(beats, beats[1:], strict=False))
    assert played.beat % 4 == pytest.approx(leader.line.beat_at(played.now_ns) % 4, abs=1e-3)


def test_a_leader_that_falls_silent_leaves_the_beat_running(played):
    leader = FixedLeader(BeatLine(played.now_ns, 0.0, 97.0))
    played.clock.follow("midi", leader)
    played.controls.set("/vj/clock/source", "midi", "panel")
    played.run(3)
    leader.is_heard = False
    before = played.beat
    assert no_jump([before, *played.run(5)], 0.02)
    assert played.beat == pytest.approx(before + 5 * 97 / 60, abs=1e-3)
    assert played.clock.state.source == "internal"


def test_the_hand_may_halve_shift_and_resync_a_leader(played):
    leader = FixedLeader(BeatLine(played.now_ns, 0.0, 140.0))
    played.clock.follow("midi", leader)
    played.controls.set("/vj/clock/source", "midi", "panel")
    played.run(3)
    before = played.beat
    played.press("half")
    assert no_jump([before, *played.run(5)], 0.03)
    assert played.held_bpm == 70.0
    played.press("resync")
    resynced_ns = played.now_ns
    beats = played.run(60 / 70 * 4)
    assert no_jump(beats, 0.03)
    assert off_grid(played.clock.beat_at(resynced_ns + 240 * SECOND_NS // 70) / 4) < 1e-3
    before = (played.beat - leader.line.beat_at(played.now_ns) / 2) % 1.0
    played.press("nudge/forward")
    played.run(3)
    after = (played.beat - leader.line.beat_at(played.now_ns) / 2) % 1.0
    assert after - before == pytest.approx(0.01 * 70 / 60, abs=1e-4)


def test_a_leaders_tempo_does_not_come_back_as_a_hands(played):
    leader = FixedLeader(BeatLine(played.now_ns, 0.0, 97.123))
    played.clock.follow("midi", leader)
    played.controls.set("/vj/clock/source", "midi", "panel")
    played.run(1)
    version = played.controls.store.version
    played.run(3)
    assert played.controls.store.version == version
    played.controls.set("/vj/clock/source", "internal", "panel")
    played.run(1)
    assert played.clock.state.bpm == pytest.approx(97.123)


def read_until(is_over: threading.Event, clock: Clock, problems: list[str]) -> None:
    while not is_over.is_set():
        state = clock.state
        at_ns = state.line.time_ns + SECOND_NS
        if not at_ns <= clock.next_boundary(4, at_ns):
            problems.append("a boundary before the asked time")
        if abs(state.line.beat_at(state.line.time_of_beat(1000.0)) - 1000.0) > 1e-3:
            problems.append("a line that is not its own inverse")


def test_many_threads_read_while_others_press():
    played = Played()
    problems: list[str] = []
    is_over = threading.Event()

    def press() -> None:
        for k in range(300):
            played.press(("nudge/forward", "nudge/back", "resync", "tap", "half", "double")[k % 6])
            played.controls.set("/vj/clock/bpm", 60 + k % 90, "osc")

    readers = [threading.Thread(target=read_until, args=(is_over, played.clock, problems)) for _ in range(2)]
    writers = [threading.Thread(target=press) for _ in range(3)]
    for thread in (*readers, *writers):
        thread.start()
    while any(thread.is_alive() for thread in writers):
        played.now_ns += TICK_NS
        played.clock.tick(played.now_ns)
    is_over.set()
    for thread in (*readers, *writers):
        thread.join()
    assert problems == []
    played.run(0.1)
    assert played.clock.state.bpm == pytest.approx(played.held_bpm, abs=0.01)
