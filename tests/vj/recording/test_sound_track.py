"""Sound beside pictures: a device whose clock is wrong and trembles, a gap, another device; all in pretended time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vj.recording.packets import SOUND_HZ, CodedPacket
from vj.recording.sound_track import SoundTrack
from vj.sound.shared_samples import SAMPLES_NAME, SoundTap

SECOND_NS = 1_000_000_000
BEGIN_NS = 10 * SECOND_NS
BLOCK = 256
DRIFT = 1.0005  # of the device against our clock
TREMBLE_NS = 2e6
SILENT_S = (4.0, 5.5)


def clicks(packets: list[CodedPacket]) -> np.ndarray:
    """When each click begins, in seconds of the track."""
    samples = np.concatenate([np.frombuffer(packet.data, np.int16).reshape(-1, 2)[:, 0] for packet in packets])
    loud = samples > 8000
    starts = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    return starts[np.diff(starts, prepend=-SOUND_HZ) > SOUND_HZ // 2] / SOUND_HZ


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 1), (48_000, 4)])
def test_a_click_every_second_is_there_every_second(tmp_path: Path, rate_hz: int, channels: int):
    tap, rng = SoundTap(tmp_path / SAMPLES_NAME), np.random.default_rng(5)
    track, packets, true_hz = SoundTrack(tmp_path / SAMPLES_NAME, "pcm_s16le", BEGIN_NS), [], rate_hz * DRIFT
    tap.is_wanted = True
    for start in range(0, round(8.5 * true_hz), BLOCK):
        at_s = np.arange(start, start + BLOCK) / true_hz
        now_ns = BEGIN_NS + round((start + BLOCK) / true_hz * SECOND_NS)
        if not SILENT_S[0] < at_s[0] < SILENT_S[1]:
            samples = np.where(at_s % 1.0 < 0.003, 0.8, 0.0).astype(np.float32)
            tap.hear(np.repeat(samples[:, None], channels, 1), now_ns + round(rng.normal(0, TREMBLE_NS)), rate_hz)
        packets += track.due(now_ns)
    packets += track.finish()
    assert [packet.pts for packet in packets] == list(range(0, len(packets) * 1024, 1024))  # without a gap
    assert np.abs(clicks(packets) - [1, 2, 3, 4, 6, 7, 8]).max() < 0.012
    tap.is_wanted = False
    tap.hear(np.zeros((BLOCK, channels), np.float32), 0, rate_hz)
    assert not (tmp_path / SAMPLES_NAME).exists()


def test_without_any_sound_there_is_silence_as_long_as_the_pictures(tmp_path: Path):
    track = SoundTrack(tmp_path / SAMPLES_NAME, "aac", BEGIN_NS)
    packets = [packet for k in range(200) for packet in track.due(BEGIN_NS + k * SECOND_NS // 100)] + track.finish()
    assert 1.4 < packets[-1].end_s <= 2.1
    assert not track.is_heard
