"""The straight line between time and beats, bent for a moment where a correction must not be seen as a jump.

Numbers alone. Knows nothing of sources, parameters or threads.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE_NS = 60_000_000_000
SLOWEST_BEND = 1.25  # beats of the target for each beat to be given up: a fifth of the speed is kept


@dataclass(frozen=True)
class BeatLine:
    """Beats over time: `beat` at `time_ns`, going on at `bpm`; `offset_beats` more at first, gone at `straight_ns`.

    Times are time.monotonic_ns(). Before `time_ns` the line is straight as well.
    """

    time_ns: int
    beat: float
    bpm: float
    offset_beats: float = 0.0
    straight_ns: int = 0

    def beat_at(self, time_ns: int) -> float:
        """Beats since the origin at a moment."""
        beat = self.beat + (time_ns - self.time_ns) * self.bpm / MINUTE_NS
        if self.offset_beats and time_ns < self.straight_ns:
            beat += self.offset_beats * min(1.0, (self.straight_ns - time_ns) / (self.straight_ns - self.time_ns))
        return beat

    def time_of_beat(self, beat: float) -> int:
        """When a beat falls, in ns."""
        start, end = self.beat + self.offset_beats, self.beat_at(self.straight_ns)
        if self.offset_beats and beat < end:
            if beat >= start:
                return self.time_ns + round((beat - start) / (end - start) * (self.straight_ns - self.time_ns))
            return self.time_ns + round((beat - start) * MINUTE_NS / self.bpm)
        return self.time_ns + round((beat - self.beat) * MINUTE_NS / self.bpm)

    def with_tempo(self, bpm: float, now_ns: int) -> BeatLine:
        """The same beat now, another tempo from now on."""
        return BeatLine(now_ns, self.beat_at(now_ns), bpm)

    def bent_to(self, target: BeatLine, now_ns: int, until_ns: int) -> BeatLine:
        """From where this line is now to where `target` (a straight line) is at `until_ns`, without a jump.

        It takes longer where beats would have to stand still or go back.
        """
        beat = target.beat_at(now_ns)
        ahead = self.beat_at(now_ns) - beat
        soonest_ns = now_ns + 1 + int(max(0.0, ahead) * SLOWEST_BEND * MINUTE_NS / target.bpm)
        return BeatLine(now_ns, beat, target.bpm, ahead, max(until_ns, soonest_ns))

    def moved(self, beats: float) -> BeatLine:
        """The straight part of this line, so many beats further."""
        return BeatLine(self.time_ns, self.beat + beats, self.bpm)

    def multiplied(self, factor: float) -> BeatLine:
        """The straight part of this line with `factor` beats for each one; beat 0 stays where it is."""
        return BeatLine(self.time_ns, self.beat * factor, self.bpm * factor)
