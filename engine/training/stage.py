"""What `vj train STAGE` knows of a stage: its settings, what must be there, and how its objective is built.

A stage is a module with one `STAGE`; engine/training/stages.py lists them. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from engine.training.objective import Objective
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings

Weights = Mapping[str, Tensor]


def nothing_missing(settings: Any, folder: Path) -> list[str]:
    """For stages that need no file."""
    return []


@dataclass(frozen=True)
class Stage:
    """A stage the trainer runs. `folder` is that of the run (--out): earlier stages' files lie there.

    `settings` is a frozen dataclass with defaults; its `__post_init__` raises ValueError for what is impossible.
    `missing` returns a sentence per file that is not there or does not fit; it only looks. `build` may load and fail.
    """

    settings: type
    build: Callable[[Any, Path], Objective]
    missing: Callable[[Any, Path], list[str]] = nothing_missing
    trainer: TrainerSettings = TrainerSettings()  # the stage's defaults
    optimisers: Mapping[str, OptimiserSettings] = field(default_factory=lambda: {"generator": OptimiserSettings()})
    export: Callable[[Objective, Mapping[str, Weights], Path], None] | None = None
    """Called by the first process at the end and at every checkpoint, with the averaged weights of every part, whole,
    float32, on the CPU; None = one safetensors file per part in the module's own key names."""
    may_recompute: bool = False  # attention keeps nothing between calls, so activations may be made anew


@dataclass(frozen=True)
class Job:
    """A stage that is no loop of the trainer's: it makes something in the run's folder and resumes by itself."""

    settings: type
    run: Callable[[Any, Path], None]
    missing: Callable[[Any, Path], list[str]] = nothing_missing
