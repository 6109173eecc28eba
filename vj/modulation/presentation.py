"""When what is sent to the engine now will be seen: the moment chunk-clocked values are modulated for.

Works on the two statuses alone. Knows nothing of threads, rings or modulators.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.chunk_pace import frames_of
from engine.messages import Command, GeneratorStatus
from vj.output.playback import PlaybackStatus

ASSUMED_RATE_FPS = 16.0  # before the first frame is on screen


def seen_at_ns(
    now_ns: int,
    generator: GeneratorStatus,
    playback: PlaybackStatus,
    chunk_frames: int,
    pending: Iterable[Command] = (),
) -> int:
    """Return when the next chunk to be begun, of `chunk_frames` latent frames, is half way over on screen.

    A chunk holds one value for all of its frames; half way over is where that errs least. What is buffered plays first,
    and then the chunk in the making, which has its values already; a hard cut among the `pending` commands passes both.
    """
    rate_fps = playback.playback_fps or playback.rate_fps or ASSUMED_RATE_FPS
    played_s = playback.buffered_frames / rate_fps
    left_s = 0.0  # until the next chunk can be begun
    if generator.making_since_ns:
        left_s = max(0.0, generator.chunk_s - (now_ns - generator.making_since_ns) / 1e9)
        played_s = max(played_s, left_s) + generator.making_frames / rate_fps
    cuts_s = [((command.at_ns or now_ns) - now_ns) / 1e9 for command in pending if command.name == "cut/hard"]
    if cuts_s and min(cuts_s) <= generator.cut_s:
        played_s = min(cuts_s)
    begins_s = max(played_s, left_s + generator.chunk_s)
    return now_ns + round((begins_s + frames_of(chunk_frames) / rate_fps / 2) * 1e9)
