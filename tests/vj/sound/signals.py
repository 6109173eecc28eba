"""Sounds made for tests: clicks, a drum machine, noise; and how well beginnings were found in them."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vj.sound.analysis import SoundAnalysis
from vj.sound.features import SoundFeatures
from vj.sound.params import SoundParams

RATE_HZ = 48000
START_NS = 10**12
TOLERANCE_S = 0.05  # within which a beginning counts as found


def clicks(bpm: float, seconds: float, rate_hz: int = RATE_HZ, amplitude: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return a click track, the first click at 0.2 s, and the clicks' times in seconds."""
    t = np.arange(int(0.008 * rate_hz)) / rate_hz
    click = amplitude * np.sin(2 * np.pi * 1500 * t) * np.exp(-t * 500)
    times = np.arange(0.2, seconds - 0.02, 60.0 / bpm)
    return _placed([(time_s, click) for time_s in times], seconds, rate_hz), times


def noise(seconds: float, amplitude: float = 0.1, seed: int = 1) -> np.ndarray:
    """Return white noise of this standard deviation."""
    return (amplitude * np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)


def sine(frequency_hz: float, seconds: float, amplitude: float = 0.3) -> np.ndarray:
    """Return a held tone."""
    return (amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(
        np.float32
    )


def drums(style: str, bpm: float, seconds: float, hiss: float = 0.003, seed: int = 1) -> tuple[np.ndarray, list[float]]:
    """Return a drum machine's sound and its kicks' times in seconds; `hiss` is the noise under it."""
    random = np.random.default_rng(seed)
    sounds = {"k": _kick(), "s": _snare(random), "h": _hat(random)}
    placed, kicks, beat_s = [], [], 60.0 / bpm
    for beat in range(int(seconds / beat_s) + 1):
        for offset, name, gain in PATTERNS[style][beat % 4]:
            time_s = 0.3 + (beat + offset) * beat_s
            placed.append((time_s, gain * sounds[name]))
            if name == "k" and time_s < seconds:
                kicks.append(time_s)
    return 0.5 * (_placed(placed, seconds, RATE_HZ) + noise(seconds, hiss, seed)), kicks


PATTERNS = {  # per beat of a bar: where in the beat, what, how loud
    "house": [[(0, "k", 1), (0.5, "h", 1)], [(0, "k", 1), (0, "s", 0.5), (0.5, "h", 1)]] * 2,
    "rock": [
        [(0, "k", 1), (0, "h", 1), (0.5, "h", 1)],
        [(0, "s", 1), (0, "h", 1), (0.5, "h", 1)],
        [(0, "k", 1), (0, "h", 1), (0.5, "h", 1), (0.5, "k", 0.8)],
        [(0, "s", 1), (0, "h", 1), (0.5, "h", 1)],
    ],
    "swing": [[(0, "h", 1), (0, "k", 0.5)], [(0, "h", 1), (0, "s", 0.3), (2 / 3, "h", 0.8)]] * 2,
    "hip hop": [
        [(0, "k", 1), (0, "h", 0.5), (0.5, "h", 0.5)],
        [(0, "s", 1), (0, "h", 0.5), (0.5, "h", 0.5)],
        [(0.5, "k", 1), (0, "h", 0.5), (0.5, "h", 0.5)],
        [(0, "s", 1), (0, "h", 0.5), (0.5, "h", 0.5), (0.75, "k", 0.7)],
    ],
    "drum and bass": [
        [(0, "k", 1), (0, "h", 0.6), (0.5, "h", 0.6)],
        [(0, "s", 1), (0, "h", 0.6), (0.5, "h", 0.6)],
        [(0.5, "k", 1), (0, "h", 0.6), (0.5, "h", 0.6)],
        [(0, "s", 1), (0, "h", 0.6), (0.5, "h", 0.6)],
    ],
}


def analyse(sound: np.ndarray, params: SoundParams | None = None, rate_hz: int = RATE_HZ) -> list[SoundFeatures]:
    """Return the features of every block; the sound begins at START_NS."""
    analysis = SoundAnalysis(rate_hz)
    size, params = analysis.block, params or SoundParams()
    blocks = sound[: len(sound) // size * size].astype(np.float32).reshape(-1, size)
    ends = (START_NS + round((n + 1) * size / rate_hz * 1e9) for n in range(len(blocks)))
    return [analysis.feed(block, end, params) for block, end in zip(blocks, ends, strict=True)]


def beginnings_s(features: Sequence[SoundFeatures], band: int | None = None, start_ns: int = START_NS) -> list[float]:
    """Return when something began, in seconds since the start: in one band, or in any, each moment once."""
    bands = range(4) if band is None else (band,)
    times = sorted({one.onset_times_ns[k] for one in features for k in bands} - {0})
    apart = [time for n, time in enumerate(times) if n == 0 or time - times[n - 1] > TOLERANCE_S * 1e9]
    return [(time - start_ns) / 1e9 for time in apart]


def f1_score(found: Sequence[float], true: Sequence[float]) -> float:
    """Return the harmonic mean of precision and recall; each true time is found at most once, within TOLERANCE_S."""
    left, hits = list(found), 0
    for time_s in true:
        near = min(left, key=lambda other: abs(other - time_s), default=None)
        if near is not None and abs(near - time_s) <= TOLERANCE_S:
            left.remove(near)
            hits += 1
    return 2.0 * hits / (len(found) + len(true)) if len(found) + len(true) else 1.0


def write_wave(path: Path, sound: np.ndarray) -> None:
    """Write a mono file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(sound, -1.0, 1.0) * 32767).astype("<i2").tobytes())


def _placed(sounds: Sequence[tuple[float, np.ndarray]], seconds: float, rate_hz: int) -> np.ndarray:
    placed = np.zeros(int(seconds * rate_hz), np.float32)
    for time_s, sound in sounds:
        start = int(time_s * rate_hz)
        stop = min(len(placed), start + len(sound))
        if start < stop:
            placed[start:stop] += sound[: stop - start]
    return placed


def _kick() -> np.ndarray:
    t = np.arange(int(0.25 * RATE_HZ)) / RATE_HZ
    return np.sin(2 * np.pi * np.cumsum(50 + 120 * np.exp(-t * 40)) / RATE_HZ) * np.exp(-t * 14)


def _snare(random: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.15 * RATE_HZ)) / RATE_HZ
    rattle = 0.6 * random.standard_normal(len(t)) + 0.4 * np.sin(2 * np.pi * 190 * t)
    return 0.6 * rattle * np.exp(-t * 25)


def _hat(random: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.06 * RATE_HZ)) / RATE_HZ
    return 0.25 * np.diff(random.standard_normal(len(t)), prepend=0.0) * np.exp(-t * 70)
