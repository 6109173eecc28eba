"""Where something begins, per band: spectral flux over a threshold that follows the music. Knows nothing of beats."""

from __future__ import annotations

import numpy as np

BAND_COUNT = 4
PEAK_HALF_LIFE_S = 6.0  # how long a bin remembers its loudest moment
QUIET_RANGE = 0.01  # a bin 40 dB under the loudest one is not lifted to full scale
COMPRESSIONS = (5.0, 60.0, 100.0, 100.0)  # how much quiet beginnings count; less so in the bass, where snares reach
HISTORY_S = 0.7  # what the threshold is made of
USUAL_SHARE = 0.6  # the share of blocks in which nothing begins, at least
USUAL_EVERY = 4  # blocks from one look at the history to the next
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

    def __init__(self, first_bins: list[int], bin_count: int, block_s: float) -> None:
        """Take the first bin of each band, the count of all, and the time from one spectrum to the next in seconds."""
        counts = np.diff([*first_bins, bin_count])
        self._first_bins = np.array(first_bins)
        self._compression = np.repeat(np.array(COMPRESSIONS, np.float32), counts)
        # the full scale of a bin, and its share in its band's mean
        self._weight = (1.0 / np.log1p(self._compression) / np.repeat(counts, counts)).astype(np.float32)
        self._least = [LEAST_RISE + FEW_BINS_RISE / count**0.5 for count in counts.tolist()]
        self._decay = np.float32(0.5 ** (block_s / PEAK_HALF_LIFE_S))
        self._pause_blocks = round(PAUSE_S / block_s)
        self._peaks = np.zeros(bin_count, np.float32)
        self._before = np.zeros(bin_count, np.float32)
        self._neighbours = np.zeros(bin_count, np.float32)
        self._scaled = np.zeros(bin_count, np.float32)
        self._history = np.zeros((max(8, round(HISTORY_S / block_s)), BAND_COUNT), np.float32)
        self._usual_index = int(USUAL_SHARE * len(self._history))
        self._usual = [0.0] * BAND_COUNT
        self._bass_before = 0.0
        self._block = 0
        self._last_hits = [-self._pause_blocks - 1] * BAND_COUNT

    def feed(self, magnitudes: np.ndarray, floor: float) -> tuple[list[float], list[bool]]:
        """Return each band's rise (0..1) in this block and whether something began in it.

        `floor` is the magnitude under which a bin counts as silent.
        """
        rises = self._rises(magnitudes, floor)
        risen = [rises[0] + self._bass_before, *rises[1:]]  # low tones take their time
        self._bass_before = rises[0]
        if self._block % USUAL_EVERY == 0:
            self._usual = np.partition(self._history, self._usual_index, axis=0)[self._usual_index].tolist()
        hits = [False] * BAND_COUNT
        for band in range(BAND_COUNT):
            threshold = self._least[band] + USUAL_FACTOR * self._usual[band]
            if risen[band] > threshold and self._block - self._last_hits[band] > self._pause_blocks:
                hits[band] = True
                self._last_hits[band] = self._block
        self._history[self._block % len(self._history)] = risen
        self._block += 1
        return rises, hits

    def _rises(self, magnitudes: np.ndarray, floor: float) -> list[float]:
        peaks, scaled, neighbours = self._peaks, self._scaled, self._neighbours
        peaks *= self._decay
        np.maximum(peaks, magnitudes, out=peaks)
        np.maximum(peaks, max(floor, QUIET_RANGE * float(np.maximum.reduce(peaks))), out=scaled)
        np.divide(magnitudes, scaled, out=scaled)
        scaled *= self._compression
        np.log1p(scaled, out=scaled)
        # against the loudest neighbour of the block before: a gliding note is no beginning
        before, glide = self._before, GLIDE_FROM_BIN
        neighbours[:] = before
        np.maximum(neighbours[glide:], before[glide - 1 : -1], out=neighbours[glide:])
        np.maximum(neighbours[glide:-1], before[glide + 1 :], out=neighbours[glide:-1])
        np.subtract(scaled, neighbours, out=neighbours)
        np.maximum(neighbours, 0.0, out=neighbours)
        neighbours *= self._weight
        self._before, self._scaled = scaled, before
        return np.add.reduceat(neighbours, self._first_bins).tolist()
