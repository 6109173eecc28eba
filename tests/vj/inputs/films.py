"""Films for tests: every frame says its number in its grey level or in its colour, written with PyAV."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

STEP = 4  # grey levels from one frame to the next
FIRST = 20


def write_film(
    path: Path,
    frames: int = 50,
    *,
    rate: int = 25,
    size: tuple[int, int] = (96, 64),
    draw: Callable[[int], np.ndarray] | None = None,
    gop: int = 12,
) -> Path:
    """Write a film whose frame k is grey of level FIRST + STEP * k (mod 200), or what `draw` gives (H, W, 3)."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"qp": "0", "preset": "ultrafast", "g": str(gop)})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for k in range(frames):
            rgb = draw(k) if draw else np.full((size[1], size[0], 3), level_of(k), np.uint8)
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def level_of(frame: int) -> int:
    """Grey level of frame `frame`."""
    return FIRST + STEP * (frame % 50)


def number_of(rgb: np.ndarray) -> int:
    """Which frame of the first fifty a picture is."""
    return round((float(rgb[..., :3].mean()) - FIRST) / STEP)
