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
from engine.training.objectives.levels import noised, x0_of
from engine.training.objectives.matching import Matching, MatchingSettings, missing_matching
from engine.training.objectives.score import flow_of
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
        self._timesteps = Schedule(self.generator.config.timestep_shift).warp(settings.steps)

    def make(self, draw: Draw, embeds: Tensor) -> Tensor:
        """Clips ended at one step, the same on all ranks; only that step keeps a graph."""
        exit_step = int(torch.randint(len(self._timesteps), (1,), generator=draw.shared))
        return few_step_clips(
            self.generator, self.noise(draw, len(self._timesteps)), embeds, self._timesteps, exit_step
        )


def few_step_clips(
    model: torch.nn.Module, noise: Tensor, embeds: Tensor, timesteps: tuple[float, ...], exit_step: int
) -> Tensor:
    """Clips x0 (B, F, C, h, w) float32 of noise (steps, B, F, C, h, w), ended at `exit_step` (from 0)."""
    x, is_graded = noise[0], torch.is_grad_enabled()
    for step in range(exit_step + 1):
        sigma = torch.full((x.shape[0],), timesteps[step] / 1000.0, device=x.device)
        with torch.set_grad_enabled(is_graded and step == exit_step):
            x0 = x0_of(x, flow_of(model, x, sigma, embeds), sigma)
        if step < exit_step:
            following = torch.full_like(sigma, timesteps[step + 1] / 1000.0)
            x = noised(x0, noise[step + 1], following)
    return x0


STAGE = Stage(
    settings=FewStepSettings,
    build=FewStep,
    missing=missing_matching,
    trainer=TrainerSettings(steps=600, batch=64, micro_batch=1, clip_norm=10.0, ema=0.99, ema_start_step=200),
    optimisers={"generator": OptimiserSettings(rate=2e-6), "critic": OptimiserSettings(rate=4e-7)},
    may_recompute=True,
)
