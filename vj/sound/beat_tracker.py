"""Tempo and beats from the strength of beginnings, block by block. Knows nothing of spectra or of the show's clock.

A comb over the autocorrelation finds the period, folding decides between a tempo and its double, a line through the
beats gives both period and phase to a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOWEST_BPM, HIGHEST_BPM = 60.0, 200.0
RANGE_SLACK = 1.02  # a tempo at the end of the range is measured a little beyond it
CLEAR_STRENGTH = 0.08  # of a beat; a weaker one is trusted less
LEAST_STRENGTH = 0.03  # what noise and held notes flicker by
USUAL_BPM, OCTAVES_AROUND = 120.0, 1.2  # between tempi that fit alike, the nearer to the usual one wins
HISTORY_S = 8.0
LEAST_HISTORY_S = 2.5
TRUSTED_AFTER_S = 5.0
ESTIMATE_EVERY_S = 0.25
QUIET_S = 2.0  # a break this long is trusted to go on in time; twice as long is not
COMB_TEETH = 4
CANDIDATES = 160
CHANGE_FACTOR, CHANGE_ESTIMATES = 1.1, 6  # how much better another tempo must fit, and how often in a row
EARLY_ESTIMATES = 2  # the same until the history is full
SAME_TEMPO = 0.04
ALIKE = (0.45, 0.85)  # how alike beats and the ones between have to be for 125 BPM and under, and from 175 BPM on
ALIKE_STAY = 0.08  # less for the tempo that is followed already
RECENT_S = 5.0  # beats older than this count for a third in the line
SNAP = 0.1  # of a beat: where a beat's own peak is looked for around its place in the line
SLEW = 0.5
JUMP, JUMP_ESTIMATES = 0.15, 4  # of a beat: a phase this far off is taken over when it stays
NOISE_FIT, FULL_FIT = 0.12, 0.5  # how noise fits any tempo, and how well plain music fits its own


@dataclass(frozen=True)
class Beat:
    """What is known of the beat at one block. 0 = not known."""

    bpm: float = 0.0
    confidence: float = 0.0  # 0..1
    time_ns: int = 0  # the last beat at or before the block


@dataclass(frozen=True)
class _Line:
    """Beats in a straight line, in blocks: `last` is the newest beat, counted back from the newest block."""

    period: float
    last: float


class BeatTracker:
    """Fed one strength per block, by one thread."""

    def __init__(self, block_s: float) -> None:
        """Take the time from one block to the next in seconds."""
        self._block_s = block_s
        self._block_ns = block_s * 1e9
        self._history = np.zeros(round(HISTORY_S / block_s), np.float64)
        self._estimate_blocks = max(1, round(ESTIMATE_EVERY_S / block_s))
        self._slowest = 60.0 / LOWEST_BPM / block_s * RANGE_SLACK
        self._fastest = 60.0 / HIGHEST_BPM / block_s / RANGE_SLACK
        self._periods = np.geomspace(self._fastest, self._slowest, CANDIDATES)
        self._forget()

    def feed(self, strength: float, time_ns: int, lost_blocks: int = 0) -> Beat:
        """Take one block's strength (0..1) and the time of its beginnings; return the beat as known now.

        `lost_blocks` is how many went missing before this one.
        """
        if lost_blocks >= len(self._history):
            self._forget()
        else:
            for _ in range(lost_blocks):
                self._push(0.0)
        strength = max(0.0, strength - LEAST_STRENGTH)
        self._push(strength)
        if strength > 0.0:
            self._heard = self._blocks
        if self._blocks % self._estimate_blocks == 0 and self._blocks * self._block_s >= LEAST_HISTORY_S:
            self._estimate()
        return self._beat(time_ns)

    def _push(self, strength: float) -> None:
        self._history[self._blocks % len(self._history)] = strength
        self._blocks += 1

    def _forget(self) -> None:
        self._history[:] = 0.0
        self._blocks = 0
        self._heard = 0  # the last block in which anything began
        self._period = 0.0  # blocks; 0 = no tempo yet
        self._one_beat = 0.0  # a beat of the line that is followed, in blocks
        self._fit = self._strength = 0.0
        self._rival = 0.0  # another period that fits better, and for how many estimates
        self._rival_estimates = 0
        self._off_phase_estimates = 0

    def _beat(self, time_ns: int) -> Beat:
        if not self._period:
            return Beat()
        since_beat = (self._blocks - self._one_beat) % self._period
        quiet_s = (self._blocks - self._heard) * self._block_s
        trust = min(1.0, max(0.0, 2.0 - quiet_s / QUIET_S))
        trust *= min(1.0, self._blocks * self._block_s / TRUSTED_AFTER_S, self._strength / CLEAR_STRENGTH)
        confidence = trust * min(1.0, max(0.0, (self._fit - NOISE_FIT) / (FULL_FIT - NOISE_FIT)))
        return Beat(60.0 / (self._period * self._block_s), confidence, time_ns - round(since_beat * self._block_ns))

    def _estimate(self) -> None:
        if self._blocks - self._heard > len(self._history):
            self._period = self._fit = 0.0
            return
        envelope = _sharpen(self._in_order())
        repeats = _autocorrelation(envelope)
        if repeats is None:
            return
        best = int(np.argmax(self._likelihood(repeats, self._periods)))
        period = self._octave(envelope, float(self._periods[best]))
        period = self._settle(period, repeats)
        line = fit_line(envelope, period, self._block_s)
        self._fit = float(_comb(repeats, np.array([line.period]))[0])
        self._strength = float(_strengths(envelope, line).mean())
        if self._fit > NOISE_FIT * np.sqrt(len(self._history) / len(envelope)):  # else the beat goes on as it was
            self._follow(line)

    def _likelihood(self, repeats: np.ndarray, periods: np.ndarray) -> np.ndarray:
        """Return how well each period fits, the usual tempi before the unusual."""
        octaves = np.log2(60.0 / (periods * self._block_s) / USUAL_BPM)
        return _comb(repeats, periods) * np.exp(-0.5 * (octaves / OCTAVES_AROUND) ** 2)

    def _in_order(self) -> np.ndarray:
        count = min(self._blocks, len(self._history))
        newest = self._blocks % len(self._history)
        return np.concatenate((self._history[newest:], self._history[:newest]))[-count:]

    def _octave(self, envelope: np.ndarray, period: float) -> float:
        """Choose between a period, its half and its double: the fastest whose beats are about equally strong."""
        chosen = period
        for candidate in (period * 2.0, period, period / 2.0):
            if not self._fastest <= candidate <= self._slowest:
                continue
            if candidate > period or self._halves_alike(envelope, candidate):
                chosen = candidate
            elif chosen > candidate:
                break
        return chosen

    def _halves_alike(self, envelope: np.ndarray, period: float) -> bool:
        """Say whether every other beat is nearly as strong as those between; a fast tempo has to be clear."""
        line = fit_line(envelope, period, self._block_s)
        strengths = _strengths(envelope, line)
        even, odd = float(strengths[::2].mean()), float(strengths[1::2].mean())
        weaker, stronger = min(even, odd), max(even, odd)
        needed = np.interp(60.0 / (period * self._block_s), (125.0, 175.0), ALIKE)
        if self._period and abs(period / self._period - 1.0) < SAME_TEMPO:
            needed -= ALIKE_STAY
        return weaker >= needed * stronger

    def _settle(self, period: float, repeats: np.ndarray) -> float:
        """Stay with the tempo there is until another fits clearly better for a while."""
        if not self._period or abs(period / self._period - 1.0) < SAME_TEMPO:
            self._rival_estimates = 0
            return period
        if self._rival and abs(period / self._rival - 1.0) < SAME_TEMPO:
            self._rival_estimates += 1
        else:
            self._rival_estimates = 1
        self._rival = period
        ours, theirs = self._likelihood(repeats, np.array([self._period, period]))
        is_octave = abs(abs(np.log2(period / self._period)) - 1.0) < SAME_TEMPO
        is_better = is_octave or theirs > CHANGE_FACTOR * ours
        needed = CHANGE_ESTIMATES * (2 if is_octave else 1)
        if self._blocks < len(self._history):
            needed = EARLY_ESTIMATES
        if self._rival_estimates >= needed and is_better:
            self._rival_estimates = 0
            return period
        return self._period

    def _follow(self, line: _Line) -> None:
        """Move to the new line: gently while it is near, at once when another phase has stayed."""
        period, measured = line.period, self._blocks - line.last
        is_other = not self._period or abs(period / self._period - 1.0) > SAME_TEMPO
        self._period = period
        error = (measured - self._one_beat + 0.5 * period) % period - 0.5 * period
        self._off_phase_estimates = self._off_phase_estimates + 1 if abs(error) > JUMP * period else 0
        if is_other or self._off_phase_estimates >= JUMP_ESTIMATES:
            self._one_beat = measured
            self._off_phase_estimates = 0
            return
        # the same beats, held at the newest one so that a change of period does not swing them
        self._one_beat = measured - error
        if not self._off_phase_estimates:
            self._one_beat += SLEW * error


def _sharpen(strengths: np.ndarray) -> np.ndarray:
    """Take off what is always there, and widen each beginning so that a swing of a block or two still meets."""
    usual = np.convolve(strengths, np.full(51, 1.0 / 51.0), "same")
    return np.convolve(np.maximum(strengths - usual, 0.0), (0.08, 0.25, 0.34, 0.25, 0.08), "same")


def _autocorrelation(envelope: np.ndarray) -> np.ndarray | None:
    """Return how the envelope meets itself at each lag in blocks, 1 at lag 0; None for nothing heard."""
    centred = envelope - envelope.mean()
    size = 2 ** int(np.ceil(np.log2(2 * len(centred))))
    spectrum = np.fft.rfft(centred, size)
    products = np.fft.irfft(spectrum * np.conj(spectrum), size)[: len(centred)]
    if products[0] <= 1e-9:
        return None
    overlap = np.arange(len(centred), 0, -1) / len(centred)
    return products / products[0] / np.maximum(overlap, 0.25)


def _comb(repeats: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the mean of `repeats` at the first multiples of each period, as many as there are."""
    lags = periods[:, None] * np.arange(1, COMB_TEETH + 1)
    is_there = lags < 0.75 * len(repeats)
    is_there[:, 0] = True
    values = np.interp(lags, np.arange(len(repeats)), repeats)
    return (values * is_there).sum(axis=1) / is_there.sum(axis=1)


def fit_line(envelope: np.ndarray, period: float, block_s: float) -> _Line:
    """Lay beats of about this period (blocks) through the envelope, newest block last, by weighted least squares."""
    count = len(envelope)
    phases = np.arange(0.0, period)
    back = phases[:, None] + period * np.arange(int((count - 1) / period))
    on_beat = np.interp(count - 1 - back, np.arange(count), envelope).mean(axis=1)
    last = float(phases[np.argmax(on_beat)])
    for _ in range(2):
        number = np.arange(int((count - 1 - last) / period) + 1)
        places, weights = _nearest_peaks(envelope, count - 1 - (last + period * number), SNAP * period)
        weights = weights * np.exp(-(count - 1 - places) * block_s / RECENT_S)
        if np.count_nonzero(weights) < 3:
            break
        slope, start = _weighted_line(number, count - 1 - places, weights)
        if abs(slope / period - 1.0) > SAME_TEMPO:
            break
        period, last = slope, start % slope
    return _Line(period, last)


def _nearest_peaks(envelope: np.ndarray, expected: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre of mass of the envelope around each expected place, and its mass."""
    width = max(1, round(reach))
    offsets = np.arange(-width, width + 1)
    index = np.rint(expected).astype(int)[:, None] + offsets
    mass = np.where((index >= 0) & (index < len(envelope)), envelope[np.clip(index, 0, len(envelope) - 1)], 0.0)
    total = mass.sum(axis=1)
    places = (mass * index).sum(axis=1) / np.maximum(total, 1e-12)
    return np.where(total > 0.0, places, expected), total


def _weighted_line(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    total = weights.sum()
    mean_x, mean_y = (weights * x).sum() / total, (weights * y).sum() / total
    slope = (weights * (x - mean_x) * (y - mean_y)).sum() / (weights * (x - mean_x) ** 2).sum()
    return float(slope), float(mean_y - slope * mean_x)


def _strengths(envelope: np.ndarray, line: _Line) -> np.ndarray:
    """Return the strength of each beat of a line, newest first."""
    number = np.arange(int((len(envelope) - 1 - line.last) / line.period) + 1)
    return _nearest_peaks(envelope, len(envelope) - 1 - (line.last + line.period * number), SNAP * line.period)[1]
