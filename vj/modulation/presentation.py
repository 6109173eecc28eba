"""When what is sent to the engine now will be seen: the moment chunk-clocked values are modulated for.

Works on the two statuses alone. Knows nothing of threads, rings or modulators.
"""

from __future__ import annotations

from engine.chunk_pace import frames_of
from engine.messages import GeneratorStatus
from vj.output.playback import PlaybackStatus

ASSUMED_RATE_FPS = 16.0  # before the first frame is on screen


def seen_at_ns(now_ns: int, generator: GeneratorStatus, playback: PlaybackStatus, chunk_frames: int) -> int:
    """Return when the next chunk to be begun, of `chunk_frames` latent frames, is half way over on screen.

    A chunk holds one value for all of its frames; half way over is where that errs least. What is buffered plays first,
    and then the chunk in the making, which has its values already.
    """
    rate_fps = playback.playback_fps or playback.rate_fps or ASSUMED_RATE_FPS
    played_s = playback.buffered_frames / rate_fps
    if generator.making_since_ns:
        left_s = generator.chunk_s - (now_ns - generator.making_since_ns) / 1e9
        begins_s = max(played_s, left_s, 0.0) + max(generator.making_frames / rate_fps, generator.chunk_s)
    else:
        begins_s = max(played_s, generator.chunk_s)
    return now_ns + round((begins_s + frames_of(chunk_frames) / rate_fps / 2) * 1e9)
