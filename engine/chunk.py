"""One finished chunk of frames and what made it. Imports no torch; knows nothing of rings, windows or models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chunk:
    """Frames made together, or the part of them that is ready to be shown. Handed over, never shared.

    Media time of frame k of this chunk is (first_frame + k) / rate_fps seconds since the last hard cut.
    """

    frames: np.ndarray  # (T, H, W, 4) uint8 RGBA, sRGB, BT.709 primaries, full range, top row first
    stream_id: int  # +1 at every hard cut; a reader that sees a newer one switches to it
    first_frame: int  # index of frames[0] since the last hard cut
    rate_fps: float  # content rate
    generation_id: int  # +1 per chunk made by this generator, cuts included
    params_version: int  # version of the snapshot the chunk was made with
    made_ns: int  # time.monotonic_ns() when the frames were ready
    present_ns: int = 0  # of a stream's first chunk: when it is to be seen (time.monotonic_ns()); 0 = once it is there
    input_ns: tuple[int, ...] = ()  # per frame, when what it is painted over or guided by came; empty = nothing did
    frames_left: int = 0  # of the same chunk that come after these, as a part of their own
