"""The sound as a leader: what the beat tracker hears, believed slowly, kept through silence.

Knows the frozen features of the sound; knows nothing of devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from vj.sound.features import SoundFeatures
from vj.tempo.beat_line import MINUTE_NS, BeatLine
from vj.tempo.clock import Lead

TRUSTED = 0.5  # confidence from which the sound begins to lead
DOUBTED = 0.3  # and below which it no longer does
STALE_NS = 500_000_000  # features older than this are no sound
TEMPO_S = 2.0  # time constant with which the tempo follows
PHASE_S = 1.0  # the same for the beat
OTHER_TEMPO = 0.04  # a tempo this far off is another one, not a wavering of this one
OTHER_TEMPO_NS = 2_000_000_000  # how long it must be heard before it is taken over
SECOND_NS = 1_000_000_000


class SoundBeat:
    """Asked by one thread at a time."""

    def __init__(self, read_features: Callable[[], SoundFeatures]) -> None:
        """`read_features` gives the newest features and never waits."""
        self._read_features = read_features
        self._line: BeatLine | None = None
        self._is_leading = False
        self._other_since_ns: int | None = None

    def begin(self, line: BeatLine) -> None:
        """Start from the beat that is playing."""
        self._line = None
        self._is_leading = False
        self._other_since_ns = None

    def end(self) -> None:
        """Do nothing: the sound is heard all the time."""

    def propose(self, line: BeatLine) -> bool:
        """Say no: nobody tells the band."""
        return False

    def lead(self, now_ns: int) -> Lead | None:
        """The beat as believed now; None while the sound is silent or unclear."""
        heard = self._read_features()
        is_clear = heard.bpm_confidence >= (DOUBTED if self._is_leading else TRUSTED)
        self._is_leading = heard.bpm > 0.0 and heard.beat_time_ns > 0 and is_clear
        self._is_leading = self._is_leading and now_ns - heard.time_ns < STALE_NS
        if not self._is_leading:
            self._line = None
            return None
        self._line = self._believed(BeatLine(heard.beat_time_ns, 0.0, heard.bpm), now_ns)
        return Lead(self._line, heard.bpm_confidence)

    def _believed(self, heard: BeatLine, now_ns: int) -> BeatLine:
        line = self._line
        if line is None or self._is_another_tempo(heard.bpm / line.bpm, now_ns):
            return heard
        elapsed_s = max(0, now_ns - line.time_ns) / SECOND_NS
        bpm = line.bpm + (heard.bpm - line.bpm) * -math.expm1(-elapsed_s / TEMPO_S)
        beat = line.beat + (now_ns - line.time_ns) * line.bpm / MINUTE_NS
        error = heard.beat_at(now_ns) - beat
        error -= round(error)
        return BeatLine(now_ns, beat + error * -math.expm1(-elapsed_s / PHASE_S), bpm)

    def _is_another_tempo(self, ratio: float, now_ns: int) -> bool:
        if abs(ratio - 1.0) < OTHER_TEMPO:
            self._other_since_ns = None
            return False
        self._other_since_ns = self._other_since_ns or now_ns
        if now_ns - self._other_since_ns < OTHER_TEMPO_NS:
            return False
        self._other_since_ns = None
        return True
