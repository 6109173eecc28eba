"""From blocks of samples to features: all that is measured, in one place. Knows nothing of devices or threads."""

from __future__ import annotations

import math
import operator

import numpy as np

from vj.sound.beat_tracker import BeatTracker
from vj.sound.features import BAND_EDGES_HZ, BANDS, SoundFeatures
from vj.sound.loudness import Loudness
from vj.sound.onsets import OnsetDetector
from vj.sound.params import SoundParams

BLOCKS_PER_S = 90.0  # about; a block is a power of two
CLIP_AMPLITUDE, CLIP_SAMPLES = 0.999, 3
CLIP_HOLD_S = 0.5
SIGNAL_HOLD_S = 1.0  # a pause between two beats is no missing signal
ONSET_LAG_BLOCKS = 0.7  # how long before its block's end a beginning was, on average
ONSET_FLOOR = 0.1  # of the floor of the whole sound, since it is spread over many bins
BEAT_WEIGHTS = (0.38, 0.24, 0.24, 0.14)  # what a beat is made of, by band
LONG_AGO_NS = 10**18
STEADY_S = 0.5  # what stays this long is no sound but an offset of the microphone


def block_samples(rate_hz: float) -> int:
    """Return the power of two nearest to one block at this sample rate."""
    return 2 ** max(5, round(np.log2(rate_hz / BLOCKS_PER_S)))


class SoundAnalysis:
    """Fed block after block of one input, by one thread."""

    def __init__(self, rate_hz: float) -> None:
        """Take the input's sample rate in Hz."""
        self.block = block_samples(rate_hz)
        self._block_s = self.block / rate_hz
        window = 2 * self.block
        self._samples = np.zeros(window, np.float32)
        shape = np.hanning(window + 1)[:-1]
        # scaled so that a sine of amplitude 1 adds up to 1 over its bins
        self._window = (shape * np.sqrt(4.0 / (window * np.sum(shape**2)))).astype(np.float32)
        edges = _bin_edges(rate_hz, window)
        self._used = slice(edges[0], edges[-1])
        first_bins = [edge - edges[0] for edge in edges[:-1]]
        self._first_bins = np.array(first_bins)
        frequencies = np.arange(edges[0], edges[-1]) * rate_hz / window
        octaves = np.log2(frequencies / BAND_EDGES_HZ[0]) / np.log2(BAND_EDGES_HZ[-1] / BAND_EDGES_HZ[0])
        self._places = np.stack((np.clip(octaves, 0.0, 1.0), np.ones_like(octaves))).astype(np.float32)
        self._onsets = OnsetDetector(first_bins, len(frequencies), self._block_s)
        self._beats = BeatTracker(self._block_s)
        self._loudness = Loudness(self._block_s, len(BANDS))
        self._offset = 0.0
        self._onset_times: tuple[int, ...] = (0,) * len(BANDS)
        self._clipped_ns = self._heard_ns = -LONG_AGO_NS

    def feed(self, samples: np.ndarray, time_ns: int, params: SoundParams, lost: int = 0) -> SoundFeatures:
        """Measure `self.block` mono samples, float32; `time_ns` is when the last one was captured.

        `lost` is how many samples went missing before the first.
        """
        samples = self._checked(samples, time_ns)
        self._take(samples, 10.0 ** (params.gain_db / 20.0))
        floor = 10.0 ** (params.floor_db / 20.0)
        amplitude = math.sqrt(2.0 * float(np.dot(self._samples, self._samples)) / len(self._samples))
        is_heard = amplitude > floor
        if is_heard:
            self._heard_ns = time_ns
        magnitudes = np.abs(np.fft.rfft(self._samples * self._window)[self._used])
        rises, hits = self._onsets.feed(magnitudes, floor * ONSET_FLOOR)
        onset_ns = time_ns - round(ONSET_LAG_BLOCKS * self._block_s * 1e9)
        if is_heard and any(hits):
            times = zip(hits, self._onset_times, strict=True)
            self._onset_times = tuple(onset_ns if hit else last for hit, last in times)
        strength = sum(map(operator.mul, rises, BEAT_WEIGHTS)) if is_heard else 0.0
        beat = self._beats.feed(strength, onset_ns, round(lost / self.block))
        level, bands, centroid = self._colour(amplitude, magnitudes, floor, params.auto_gain) if is_heard else QUIET
        return SoundFeatures(
            time_ns=time_ns,
            level=level,
            bands=bands,
            onsets=tuple(map(float, hits)) if is_heard else QUIET[1],
            onset_times_ns=self._onset_times,
            centroid=centroid,
            bpm=beat.bpm,
            bpm_confidence=beat.confidence,
            beat_time_ns=beat.time_ns,
            is_clipping=time_ns - self._clipped_ns < CLIP_HOLD_S * 1e9,
            has_signal=time_ns - self._heard_ns < SIGNAL_HOLD_S * 1e9,
        )

    def _checked(self, samples: np.ndarray, time_ns: int) -> np.ndarray:
        """Note full scale, and pass on what is a number."""
        peak = max(float(np.maximum.reduce(samples)), -float(np.minimum.reduce(samples)))
        if not peak < math.inf:
            samples = np.nan_to_num(samples, posinf=1.0, neginf=-1.0)
            peak = 1.0
        if peak >= CLIP_AMPLITUDE and np.count_nonzero(np.abs(samples) >= CLIP_AMPLITUDE) >= CLIP_SAMPLES:
            self._clipped_ns = time_ns
        return samples

    def _take(self, samples: np.ndarray, gain: float) -> None:
        """Move the window on by one block, without the microphone's offset."""
        mean = float(np.add.reduce(samples)) / len(samples)
        self._offset += (mean - self._offset) * min(1.0, self._block_s / STEADY_S)
        newest = self._samples[self.block :]
        self._samples[: self.block] = newest
        np.subtract(samples, self._offset, out=newest)
        newest *= gain

    def _colour(
        self, amplitude: float, magnitudes: np.ndarray, floor: float, has_auto_gain: bool
    ) -> tuple[float, tuple[float, ...], float]:
        """Return level, bands and centroid of what is heard."""
        powers = np.add.reduceat(magnitudes * magnitudes, self._first_bins).tolist()
        level, *bands = self._loudness.feed([amplitude, *map(math.sqrt, powers)], floor, has_auto_gain)
        placed, total = np.dot(self._places, magnitudes).tolist()
        return level, tuple(bands), placed / total if total > 0.0 else 0.0


QUIET = (0.0, (0.0,) * len(BANDS), 0.0)


def _bin_edges(rate_hz: float, window: int) -> list[int]:
    """Return the first bin of each band and the bin after the last; every band has at least one."""
    edges = [max(1, round(edge * window / rate_hz)) for edge in BAND_EDGES_HZ]
    last = window // 2 + 1
    for n in range(1, len(edges)):
        edges[n] = max(edges[n - 1] + 1, min(edges[n], last - (len(edges) - 1 - n)))
    return edges
