"""Where something begins, per band: spectral flux over a threshold that follows the music. Knows nothing of beats."""

from __future__ import annotations

import numpy as np

BAND_COUNT = 4
PEAK_HALF_LIFE_S = 6.0  # how long a bin remembers its loudest moment
QUIET_RANGE = 0.01  # a bin 40 dB under the loudest one is not lifted to full scale
COMPRESSIONS = (5.0, 60.0, 100.0, 100.0)  # how much quiet beginnings count; less so in the bass, where snares reach
HISTORY_S = 0.7  # what the threshold is made of
USUAL_SHARE = 0.6  # the share of blocks in which nothing begins, at least
USUAL_FACTOR = 2.2
LEAST_RISE = 0.14  # of a rise from nothing to the loudest
FEW_BINS_RISE = 0.28  # more for few bins, which flicker in noise: divided by the root of their count
GLIDE_FROM_BIN = 8  # under it a bin is wider than any glide
PAUSE_S = 0.06  # nothing begins twice within this time in one band


class OnsetDetector:
    """Fed one magnitude spectrum per block, by one thread.

    Each bin is measured by its own loudest moments, so that neither gain nor a dull microphone matters, and its rise
    over the block before is counted on a logarithmic scale.
    """

    def __init__(self, bins_of_bands: tuple[slice, ...], block_s: float) -> None:
        """Take the bins of each band, and the time from one spectrum to the next in seconds."""
        last = max(bins.stop for bins in bins_of_bands)
        self._bins = bins_of_bands
        self._edges = np.array([bins.start for bins in bins_of_bands])
        self._counts = np.array([bins.stop - bins.start for bins in bins_of_bands], np.float32)
        self._least = LEAST_RISE + FEW_BINS_RISE / np.sqrt(self._counts)
        self._compression = np.repeat(np.array(COMPRESSIONS, np.float32), self._counts.astype(int))
        self._full_scale = 1.0 / np.log1p(self._compression)
        self._stop = last
        self._decay = 0.5 ** (block_s / PEAK_HALF_LIFE_S)
        self._pause_blocks = round(PAUSE_S / block_s)
        self._peaks = np.zeros(last, np.float32)
        self._before = np.zeros(last, np.float32)
        self._history = np.zeros((max(8, round(HISTORY_S / block_s)), BAND_COUNT), np.float32)
        self._bass_before = 0.0
        self._usual_index = int(USUAL_SHARE * len(self._history))
        self._block = 0
        self._last_hit = np.full(BAND_COUNT, -self._pause_blocks)

    def feed(self, magnitudes: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
        """Return each band's rise (0..1) in this block and whether something began in it.

        `floor` is the magnitude under which a bin counts as silent.
        """
        rises = self._rises(magnitudes[: self._stop], floor)
        risen = rises.copy()
        risen[0] += self._bass_before  # low tones take their time
        self._bass_before = float(rises[0])
        usual = np.partition(self._history, self._usual_index, axis=0)[self._usual_index]
        has_paused = self._block - self._last_hit > self._pause_blocks
        hits = (risen > self._least + USUAL_FACTOR * usual) & has_paused
        self._last_hit[hits] = self._block
        self._history[self._block % len(self._history)] = risen
        self._block += 1
        return rises, hits

    def _rises(self, magnitudes: np.ndarray, floor: float) -> np.ndarray:
        np.maximum(self._peaks * self._decay, magnitudes, out=self._peaks)
        full = np.maximum(self._peaks, max(floor, QUIET_RANGE * float(self._peaks.max())))
        loudness = np.log1p(self._compression * magnitudes / full) * self._full_scale
        # against the loudest neighbour of the block before: a gliding note is no beginning
        before, glide = self._before, GLIDE_FROM_BIN
        neighbours = before.copy()
        np.maximum(neighbours[glide:], before[glide - 1 : -1], out=neighbours[glide:])
        np.maximum(neighbours[glide:-1], before[glide + 1 :], out=neighbours[glide:-1])
        gained = np.maximum(loudness - neighbours, 0.0)
        self._before = loudness
        return np.add.reduceat(gained, self._edges) / self._counts
