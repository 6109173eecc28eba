"""What the generator and the display really take, from what both say about themselves.

Knows their frozen statuses; knows nothing of clocks or commands.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.chunk_pace import TIME_SHARE, frames_of
from engine.messages import GeneratorStatus
from vj.output.playback import PlaybackStatus

ASSUMED_CUT_S = 2.0  # before the first chunk was measured
KEEPS_UP = 1.1  # times the content rate: a generator that makes less has no time to fill the buffer before a cut
ENOUGH_SHARE = 0.85  # of the time until a cut is in hand: the rest is stretched unnoticed


@dataclass(frozen=True)
class Latency:
    """How long before it is seen something must be sent, in seconds, as measured now."""

    cut_s: float = ASSUMED_CUT_S  # a new stream, at least: a cut that has less time takes the next boundary
    fill_s: float = 0.0  # more for a cut whose old stream would run out before it
    buffered_s: float = 0.0  # of the old stream in hand, at the speed it plays
    deck_s: float | None = None  # a deck whose frames lie ready; None = it comes as a new stream does
    value_s: float = 1.0  # a value, until the chunk made with it is on screen, on average
    jump_s: float = 1.0  # a prompt or seed that jumps: it may have a chunk under way begun anew

    def lead_s(self, left_s: float) -> float:
        """How long ahead a cut must be sent that is `left_s` away, so that the old stream plays on until then."""
        is_enough = self.buffered_s >= ENOUGH_SHARE * left_s
        return self.cut_s if is_enough else self.cut_s + self.fill_s


def measure_latency(
    generator: GeneratorStatus, playback: PlaybackStatus, chunk_frames: int, *, begins_anew: bool = False
) -> Latency:
    """From both statuses and /vj/model/chunk (latent frames). Before the first chunk it is a guess.

    `begins_anew`: a chunk that is under way when something jumps is given up for it.
    """
    if not generator.cut_s or playback.playback_fps <= 0.0:
        return Latency()
    busy_s = generator.chunk_s * TIME_SHARE
    keeps_up = generator.generator_fps >= KEEPS_UP * playback.rate_fps
    played_s = frames_of(chunk_frames) / playback.playback_fps
    # a value waits half a chunk on average until the next one is begun
    value_s = playback.shown_after_s + generator.chunk_s + played_s / 2
    spared_s = min(generator.chunk_s, played_s / 2) if begins_anew and keeps_up else 0.0
    return Latency(
        cut_s=generator.cut_s,
        fill_s=busy_s if keeps_up else 0.0,
        deck_s=0.0 if generator.deck_is_ready else None,
        buffered_s=playback.buffered_frames / playback.playback_fps,
        value_s=value_s,
        jump_s=value_s - spared_s,
    )
