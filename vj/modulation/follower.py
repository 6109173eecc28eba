"""Envelope follower: a feature of the sound with attack and release, moved on from tick to tick.

Knows the features of the sound; knows nothing of parameters, threads or devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vj.modulation.params import ONSETS
from vj.sound.features import BANDS, SoundFeatures

NS_PER_MS = 1e6
STALE_NS = 500_000_000  # a sound input that says nothing for so long is silence
OLDEST_ONSET_NS = 250_000_000  # a follower that has just begun does not answer what is long over


@dataclass(frozen=True)
class Follower:
    """Where an envelope stands; never changes."""

    height: float = 0.0  # 0..1
    is_rising: bool = False  # on its way up to an onset's full height
    onset_ns: int = 0  # the onset answered last

    def moved_on(
        self, source: str, features: SoundFeatures, now_ns: int, elapsed_ns: int, attack_ms: float, release_ms: float
    ) -> Follower:
        """Return where the envelope stands at `now_ns`, `elapsed_ns` later than before.

        A feature is approached exponentially: attack and release are the times to come within 37 % of it. An onset
        rises evenly to 1 within the attack and falls by the release.
        """
        if source in ONSETS:
            onset_ns = features.onset_times_ns[ONSETS.index(source)]
            return self._answering(onset_ns, now_ns, elapsed_ns, attack_ms, release_ms)
        goal = 0.0 if now_ns - features.time_ns > STALE_NS else _measured(source, features)
        time_ms = attack_ms if goal > self.height else release_ms
        return Follower(goal + (self.height - goal) * _left(elapsed_ns, time_ms))

    def _answering(self, onset_ns: int, now_ns: int, elapsed_ns: int, attack_ms: float, release_ms: float) -> Follower:
        is_new = onset_ns > self.onset_ns and now_ns - onset_ns <= OLDEST_ONSET_NS
        height, is_rising = self.height, self.is_rising or is_new
        if not is_rising:
            return Follower(height * _left(elapsed_ns, release_ms), False, onset_ns)
        height += elapsed_ns / (attack_ms * NS_PER_MS) if attack_ms > 0.0 else 1.0
        return Follower(min(1.0, height), height < 1.0, onset_ns)


def _measured(source: str, features: SoundFeatures) -> float:
    if source == "level":
        measured = features.level
    elif source == "centroid":
        measured = features.centroid
    else:
        measured = features.bands[BANDS.index(source)]
    return min(1.0, max(0.0, measured))


def _left(elapsed_ns: int, time_ms: float) -> float:
    """Share of a distance that is left after a time, for a time constant; 0 = none at once."""
    return math.exp(-elapsed_ns / (time_ms * NS_PER_MS)) if time_ms > 0.0 else 0.0
