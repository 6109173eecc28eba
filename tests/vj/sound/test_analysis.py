"""What is measured of sounds whose truth is known: levels, bands, beginnings, tempo."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vj.sound.signals import (
    RATE_HZ,
    START_NS,
    analyse,
    beginnings_s,
    clicks,
    drums,
    f1_score,
    noise,
    sine,
)
from vj.sound.features import BANDS
from vj.sound.params import SoundParams

TEMPI = (80, 120, 128, 174)


@pytest.mark.parametrize("bpm", TEMPI)
@pytest.mark.parametrize("rate_hz", [44100, 48000])
def test_a_click_track_is_tracked_within_a_percent_in_eight_seconds(bpm: int, rate_hz: int) -> None:
    sound, times = clicks(bpm, 8.0, rate_hz)
    features = analyse(sound, rate_hz=rate_hz)
    assert features[-1].bpm == pytest.approx(bpm, rel=0.01)
    assert features[-1].bpm_confidence > 0.8
    assert f1_score(beginnings_s(features), times) >= 0.95
    phase_s = ((features[-1].beat_time_ns - START_NS) / 1e9 - times[0]) % (60 / bpm)
    assert min(phase_s, 60 / bpm - phase_s) < 0.015


@pytest.mark.parametrize("rate_hz", [16000, 96000])
def test_other_sample_rates_measure_the_same(rate_hz: int) -> None:
    sound, times = clicks(128, 8.0, rate_hz)
    features = analyse(sound, rate_hz=rate_hz)
    assert features[-1].bpm == pytest.approx(128, rel=0.01)
    assert f1_score(beginnings_s(features), times) >= 0.95


@pytest.mark.parametrize("gain_db", [-34, 0, 26])
def test_loudness_does_not_matter_to_beats_and_beginnings(gain_db: float) -> None:
    sound, times = clicks(120, 8.0)
    features = analyse(np.clip(sound * 10 ** (gain_db / 20), -1.0, 1.0))
    assert features[-1].bpm == pytest.approx(120, rel=0.01)
    assert f1_score(beginnings_s(features), times) >= 0.95
    assert features[-1].is_clipping == (gain_db > 0)


def test_silence_is_nothing_at_all() -> None:
    for sound in (np.zeros(4 * RATE_HZ), noise(4.0, 0.0003)):  # the second is under the floor
        for features in analyse(sound):
            assert (features.level, features.bands, features.onsets) == (0.0, (0.0,) * 4, (0.0,) * 4)
            assert (features.bpm, features.bpm_confidence, features.beat_time_ns) == (0.0, 0.0, 0)
            assert not features.has_signal and not features.is_clipping


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.clip(100.0 * sine(97, 8.0), -1, 1), id="clipped tone"),
        pytest.param(np.clip(5.0 * noise(8.0, 1.0), -1, 1), id="clipped noise"),
        pytest.param(noise(8.0), id="noise"),
        pytest.param(sine(440, 8.0), id="tone"),
    ],
)
def test_what_goes_on_evenly_begins_hardly_ever_and_has_no_tempo(sound: np.ndarray) -> None:
    features = analyse(sound)
    assert len(beginnings_s(features)) <= 4  # its own beginning, and half a one a second
    assert features[-1].bpm_confidence < 0.2


def test_a_clipped_beat_has_no_more_beginnings_than_it_has() -> None:
    sound, _ = drums("rock", 110, 8.0)
    clean, clipped = analyse(sound), analyse(np.clip(12.0 * sound, -1.0, 1.0))
    assert clipped[-1].is_clipping and not clean[-1].is_clipping
    assert len(beginnings_s(clipped)) <= 1.2 * len(beginnings_s(clean))
    assert clipped[-1].bpm == pytest.approx(110, rel=0.01)


@pytest.mark.parametrize(
    ("style", "bpm", "hiss"),
    [("swing", 140, 0.003)]
    + [(style, bpm, hiss) for style, bpm in (("house", 124), ("rock", 90), ("hip hop", 90)) for hiss in (0.003, 0.05)],
)
def test_a_drum_machine_is_followed(style: str, bpm: float, hiss: float) -> None:
    sound, kicks = drums(style, bpm, 10.0, hiss)
    features = analyse(sound)
    assert features[-1].bpm == pytest.approx(bpm, rel=0.01)
    assert features[-1].bpm_confidence > 0.5
    if hiss < 0.01 and style != "swing":
        assert f1_score(beginnings_s(features, BANDS.index("bass")), kicks) >= 0.85


@pytest.mark.parametrize(("style", "bpm", "hiss"), [("drum and bass", 174, 0.003), ("swing", 140, 0.05)])
def test_some_music_may_be_heard_at_half_its_tempo(style: str, bpm: float, hiss: float) -> None:
    features = analyse(drums(style, bpm, 10.0, hiss)[0])
    assert min(abs(features[-1].bpm / heard - 1.0) for heard in (bpm / 2, bpm)) < 0.01


def test_the_tempo_stays_put_and_follows_a_new_one() -> None:
    first, second = clicks(120, 10.0)[0], clicks(140, 12.0)[0]
    features = analyse(np.concatenate((first, second)))
    per_s = len(features) / 22.0
    settled = features[int(6 * per_s) : int(10 * per_s)]
    assert all(one.bpm == pytest.approx(120, rel=0.005) for one in settled)
    assert features[-1].bpm == pytest.approx(140, rel=0.01)


def test_a_break_keeps_the_tempo_and_a_long_one_forgets_it() -> None:
    features = analyse(np.concatenate((clicks(128, 8.0)[0], np.zeros(12 * RATE_HZ))))
    per_s = len(features) / 20.0
    soon, late = features[int(9.5 * per_s)], features[-1]
    assert soon.bpm == pytest.approx(128, rel=0.01) and soon.bpm_confidence > 0.8
    assert (late.bpm, late.bpm_confidence) == (0.0, 0.0)
    assert all(one.beat_time_ns <= one.time_ns for one in features)


def test_bands_hold_their_own_frequencies() -> None:
    for band, frequency_hz in enumerate((60, 400, 2000, 9000)):
        features = analyse(sine(frequency_hz, 1.0), SoundParams(auto_gain=False))[-1]
        assert features.bands[band] == pytest.approx(0.3, rel=0.1)
        assert features.level == pytest.approx(0.3, rel=0.05)
        assert sum(features.bands) - features.bands[band] < 0.15
    dull, bright = (analyse(sine(frequency_hz, 1.0))[-1].centroid for frequency_hz in (100, 8000))
    assert dull < 0.4 < 0.8 < bright


def test_gain_and_auto_gain() -> None:
    quiet = sine(400, 3.0, 0.01)
    assert analyse(quiet)[-1].level > 0.9
    assert analyse(quiet, SoundParams(auto_gain=False))[-1].level == pytest.approx(0.01, rel=0.05)
    assert analyse(quiet, SoundParams(auto_gain=False, gain_db=20.0))[-1].level == pytest.approx(0.1, rel=0.05)
    assert analyse(quiet, SoundParams(floor_db=-30.0))[-1].level == 0.0
    assert analyse(sine(400, 3.0, 0.002))[-1].level < 0.4, "a quiet room is not lifted to full scale"


def test_values_stay_in_range_whatever_comes() -> None:
    hostile = noise(3.0, 3.0)
    hostile[RATE_HZ : RATE_HZ + 3000] = np.nan
    hostile[2 * RATE_HZ : 2 * RATE_HZ + 3000] = np.inf
    for features in analyse(hostile):
        values = (features.level, *features.bands, *features.onsets, features.centroid, features.bpm_confidence)
        assert all(0.0 <= value <= 1.0 for value in values)
    offset = analyse(np.full(4 * RATE_HZ, 0.5))
    assert offset[-1].level == 0.0, "a microphone's offset is no sound"
