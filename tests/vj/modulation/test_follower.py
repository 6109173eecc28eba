"""Envelopes rise by the attack and fall by the release, over levels and over onsets."""

import math
from dataclasses import replace

import pytest

from vj.modulation.follower import Follower
from vj.modulation.params import FEATURES
from vj.sound.features import SILENCE, SoundFeatures

MS = 1_000_000
START_NS = 10_000 * MS


def play(
    source: str, sound, length_ms: int, attack_ms: float, release_ms: float, tick_ms: int = 10
) -> list[tuple[int, float]]:
    """Follow `sound(ms)` and return (ms, height) at every tick."""
    follower, heights = Follower(), []
    for at_ms in range(0, length_ms, tick_ms):
        now_ns = START_NS + at_ms * MS
        follower = follower.moved_on(source, sound(at_ms), now_ns, tick_ms * MS, attack_ms, release_ms)
        heights.append((at_ms, follower.height))
    return heights


def burst(at_ms: int) -> SoundFeatures:
    """Loud from 100 to 400 ms."""
    is_loud = 100 <= at_ms < 400
    return SoundFeatures(time_ns=START_NS + at_ms * MS, level=0.8 if is_loud else 0.0, has_signal=is_loud)


def hits(*times_ms: int):
    """An onset in the second band at these times."""

    def features(at_ms: int) -> SoundFeatures:
        past = [START_NS + t * MS for t in times_ms if t <= at_ms]
        return SoundFeatures(time_ns=START_NS + at_ms * MS, onset_times_ns=(0, past[-1] if past else 0, 0, 0))

    return features


def test_attack_and_release_are_time_constants():
    heights = dict(play("level", burst, 1000, attack_ms=50.0, release_ms=100.0))
    assert heights[90] == 0.0
    assert heights[140] == pytest.approx(0.8 * (1 - math.exp(-1)), abs=1e-6)
    assert heights[390] == pytest.approx(0.8, abs=0.01)
    assert heights[490] == pytest.approx(heights[390] * math.exp(-1), abs=1e-6)


@pytest.mark.parametrize("tick_ms", [2, 10, 25])
def test_the_envelope_does_not_depend_on_how_often_it_is_looked_at(tick_ms: int):
    heights = dict(play("level", burst, 700, attack_ms=80.0, release_ms=150.0, tick_ms=tick_ms))
    assert heights[350] == pytest.approx(0.8 * (1 - math.exp(-(250 + tick_ms) / 80)), abs=1e-6)


def test_no_attack_and_no_release_is_the_feature_itself():
    assert [h for _, h in play("level", burst, 600, 0.0, 0.0)] == [burst(t).level for t in range(0, 600, 10)]


def test_an_onset_fires_rises_by_the_attack_and_falls_by_the_release():
    heights = dict(play("low_mid_onset", hits(100), 600, attack_ms=40.0, release_ms=100.0))
    assert heights[90] == 0.0
    assert heights[110] == pytest.approx(0.5)
    assert heights[130] == 1.0
    assert heights[230] == pytest.approx(math.exp(-1), abs=1e-6)


def test_an_onset_without_attack_is_there_at_once_and_a_second_one_starts_again():
    heights = dict(play("low_mid_onset", hits(100, 300), 600, attack_ms=0.0, release_ms=100.0))
    assert (heights[100], heights[300]) == (1.0, 1.0)
    assert heights[290] < 0.2


def test_an_onset_during_the_fall_rises_from_where_it_is():
    heights = [h for t, h in play("low_mid_onset", hits(100, 150), 400, attack_ms=100.0, release_ms=500.0)]
    assert max(abs(b - a) for a, b in zip(heights, heights[1:], strict=False)) <= 0.1 + 1e-9
    assert max(heights) == 1.0


def test_other_bands_and_old_onsets_fire_nothing():
    assert {h for _, h in play("bass_onset", hits(100), 300, 0.0, 100.0)} == {0.0}
    long_over = SoundFeatures(time_ns=START_NS, onset_times_ns=(START_NS - 2000 * MS, 0, 0, 0))
    assert Follower().moved_on("bass_onset", long_over, START_NS, 10 * MS, 0.0, 100.0).height == 0.0


def test_a_sound_input_that_stops_talking_is_silence():
    loud = replace(SILENCE, time_ns=START_NS, level=1.0)
    follower = Follower().moved_on("level", loud, START_NS, 10 * MS, 0.0, 0.0)
    assert follower.height == 1.0
    assert follower.moved_on("level", loud, START_NS + 600 * MS, 10 * MS, 0.0, 0.0).height == 0.0


@pytest.mark.parametrize("source", FEATURES)
def test_every_feature_is_heard(source: str):
    full = SoundFeatures(START_NS, 1.0, (1.0,) * 4, (1.0,) * 4, (START_NS,) * 4, 1.0, has_signal=True)
    assert Follower().moved_on(source, full, START_NS, 10 * MS, 0.0, 100.0).height == 1.0
    assert Follower().moved_on(source, SILENCE, START_NS, 10 * MS, 0.0, 100.0).height == 0.0
