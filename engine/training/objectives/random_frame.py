"""Stage `random-frame`: `last-frame` with any frame of the stream, for comparison: the paper's lost movement."""

from __future__ import annotations

from pathlib import Path

from engine.training.objectives.last_frame import (
    OPTIMISERS,
    TRAINER,
    FrameReward,
    LastFrameSettings,
    build_with,
    missing,
)
from engine.training.stage import Stage


def build(settings: LastFrameSettings, folder: Path) -> FrameReward:
    """As `Stage.build`."""
    return build_with(settings, folder, picks_any=True)


STAGE = Stage(LastFrameSettings, build, missing, TRAINER, OPTIMISERS)
