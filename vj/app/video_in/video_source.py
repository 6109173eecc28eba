"""What the panels read of the pictures from outside. All of it answers at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vj.inputs.listing import Listed
from vj.inputs.messages import InputState

TEST_SOURCES = tuple(
    Listed("test", f"lavfi:{graph}", name)
    for name, graph in (
        ("test card with a clock", "testsrc2=size=1280x720:rate=30"),
        ("colour bars", "smptehdbars=size=1280x720:rate=30"),
        ("cells", "life=size=640x360:rate=25:mold=20:life_color=white:death_color=blue:mold_color=black"),
        ("Mandelbrot, zooming in", "mandelbrot=size=640x360:rate=25"),
        ("colours that flow", "gradients=size=640x360:rate=30:speed=0.05"),
    )
)


@dataclass(frozen=True)
class VideoSource:
    """Asked by the GUI thread; nothing waits."""

    folder: Path | None = None  # where the inputs' rings are
    states: Callable[[], Sequence[InputState]] = tuple  # input 1 first
    listed: Callable[[], Sequence[Listed]] = tuple  # what can be opened, as found so far; looks for it anew
    recent: Callable[[], Sequence[Path]] = tuple  # files used before, the newest first
    note_source: Callable[[str], None] = lambda source: None  # an input shows this from now on
    keep_mask: Callable[[np.ndarray, Callable[[Path], None]], None] | None = None  # writes it, then hands on its path
