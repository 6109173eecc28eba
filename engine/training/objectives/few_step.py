"""Stage `few-step-teacher`: a bidirectional model matched to its many-step self in a few steps.

The first stage of arXiv:2601.16933: plain distribution matching, the whole clip at once, four steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.objective import Draw
from engine.training.objectives.matching import Matching, MatchingSettings, missing_matching
from engine.training.objectives.models import model_preset
from engine.training.objectives.painting import Painter
from engine.training.objectives.score import few_step_clips
from engine.training.stage import Stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings


@dataclass(frozen=True)
class FewStepSettings(MatchingSettings):
    """Stage `few-step-teacher`. Starts from the teacher itself."""

    start_from: str = "teacher/generator.safetensors"
    steps: tuple[int, ...] = PUBLISHED_STEPS  # of the sampler, unwarped

    def __post_init__(self) -> None:
        super().__post_init__()
        Schedule(1.0).warp(self.steps)


class FewStep(Matching):
    """Clips are made whole, all frames at one level, re-noised between the steps."""

    settings: FewStepSettings

    def __init__(self, settings: FewStepSettings, folder: Path) -> None:
        """Load everything on the CPU. Raises CheckpointError."""
        super().__init__(settings, folder)
        self._painter = Painter(model_preset(settings.model), self.texts, settings.width, settings.height)
        self._timesteps = Schedule(self.generator.config.timestep_shift).warp(settings.steps)

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Clips of the panel's prompts, as `objective.Painter`."""
        return self._painter.few_step(self.generator, prompts, seed, self._timesteps, self.settings.latent_frames[0])

    def make(self, draw: Draw, embeds: Tensor) -> Tensor:
        """Clips ended at one step, the same on all ranks; only that step keeps a graph."""
        exit_step = int(torch.randint(len(self._timesteps), (1,), generator=draw.shared))
        return few_step_clips(
            self.generator, self.noise(draw, len(self._timesteps)), embeds, self._timesteps, exit_step
        )


STAGE = Stage(
    settings=FewStepSettings,
    build=FewStep,
    missing=missing_matching,
    trainer=TrainerSettings(steps=600, batch=64, micro_batch=1, clip_norm=10.0, ema=0.99, ema_start_step=200),
    optimisers={"generator": OptimiserSettings(rate=2e-6), "critic": OptimiserSettings(rate=4e-7)},
    may_recompute=True,
)
