"""Samples keep their order and their times on the way from the driver's thread."""

from __future__ import annotations

import numpy as np
import pytest

from vj.sound.sample_ring import SampleRing

RATE_HZ = 48000.0


def counted(start: int, count: int) -> np.ndarray:
    return np.repeat(np.arange(start, start + count, dtype=np.float32)[:, None], 2, axis=1)


def test_blocks_come_out_as_they_went_in_whatever_the_writes() -> None:
    ring = SampleRing(RATE_HZ, 2, seconds=0.1)
    written = read = 0
    random = np.random.default_rng(1)
    for count in random.integers(1, 700, 400).tolist():
        ring.write(counted(written, count), round((written + count) / RATE_HZ * 1e9))
        written += count
        while (block := ring.read(512)) is not None:
            assert np.array_equal(block.samples, np.arange(read, read + 512))
            assert block.lost == 0
            assert block.end_ns == pytest.approx((read + 512) / RATE_HZ * 1e9, abs=1000)
            read += 512
        assert ring.missing(512) == 512 - (written - read)


def test_a_reader_that_slept_goes_on_with_the_newest() -> None:
    ring = SampleRing(RATE_HZ, 2, seconds=0.1)
    for start in range(0, 1000, 250):
        ring.write(counted(start, 250), 0)
    assert np.array_equal(ring.read(512).samples, np.arange(512))
    for start in range(1000, 24000, 250):
        ring.write(counted(start, 250), 0)
    block = ring.read(512)
    assert (block.samples[-1], block.lost) == (23999, 24000 - 2 * 512)


def test_channels_are_averaged() -> None:
    ring = SampleRing(RATE_HZ, 2)
    ring.write(np.tile(np.array([[0.2, 0.4]], np.float32), (512, 1)), 0)
    assert ring.read(512).samples == pytest.approx(0.3)


def test_a_trembling_driver_clock_is_smoothed_and_a_new_one_believed_when_it_stays() -> None:
    ring, block_ns = SampleRing(RATE_HZ, 1), 512 / RATE_HZ * 1e9
    random = np.random.default_rng(1)
    errors = []
    for n in range(1, 500):
        jump_ns = 3e8 if n > 300 else 0.0
        ring.write(np.zeros((512, 1), np.float32), round(n * block_ns + jump_ns + random.uniform(-5e6, 5e6)))
        block = ring.read(512)
        assert block.lost == 0, "no sample was lost, whatever the driver's clock says"
        errors.append(block.end_ns - n * block_ns - jump_ns)
    assert np.abs(errors[100:300]).max() < 2e6
    assert np.abs(errors[400:]).max() < 5e6


def test_samples_the_driver_lost_are_counted() -> None:
    ring, block_ns = SampleRing(RATE_HZ, 1), 512 / RATE_HZ * 1e9
    for n in range(1, 100):
        if n == 50:
            ring.overflows += 1
        late_ns = 3 * block_ns if n >= 50 else 0.0
        ring.write(np.zeros((512, 1), np.float32), round(n * block_ns + late_ns))
        lost = ring.read(512).lost
        assert lost == (pytest.approx(3 * 512, abs=1) if n == 50 else 0)
