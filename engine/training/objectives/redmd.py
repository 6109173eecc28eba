"""Stage `redmd`: rewarded distribution matching on the model's own streams (Reward Forcing, arXiv:2512.04678).

With beta = 0 it is plain distribution matching (Self-Forcing, arXiv:2506.08009). Clips are weighted by exp(beta r).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.rewards.loading import load_reward, missing_for, reward_dimension
from engine.rewards.protocol import FramePolicy
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.distribution_matching import reward_weights
from engine.training.objectives.matching import Matching, MatchingSettings, missing_matching
from engine.training.objectives.models import load_pixels, model_preset
from engine.training.objectives.painting import Painter
from engine.training.rollout import RolloutPlan, roll_out
from engine.training.stage import Stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings

FAULTS = (1, 2, 3, 4)
SHIPPED_ACCUMULATION = 8
SINK_MODES = ("static", "parity_bf16", "ema_fp32")


@dataclass(frozen=True)
class RedmdSettings(MatchingSettings):
    """Stage `redmd`. The published numbers are in configs/redmd_wan.toml; these are ember's.

    `shipped_faults` are those of the published loop, for comparison only: 1 the reward sees pixels in -1..1; 2 it sees
    every frame instead of its own choice; 3 the first clip's reward is the whole micro-batch's; 4 one micro-batch per
    update, every eighth time, stepped on twice.
    """

    steps: tuple[int, ...] = PUBLISHED_STEPS  # of the sampler, unwarped
    reward: str = "motion"  # NAME or NAME:DIMENSION of engine/rewards
    beta: float = 1.0  # 0 = plain distribution matching: no reward is loaded
    reward_clip: float = 3.0  # |beta r| at most; 0 = unbounded, as published
    reward_mean: float = -5.0  # r = (score - mean) / std; of `motion` on 24 streams of the ember that ships, 160x96
    reward_std: float = 0.42
    grad_chunks: int = 0  # the last so many keep a graph; 0 = all, as published
    is_cache_detached: bool = False  # True: no gradient from a chunk into the ones before it
    sink_mode: str = "static"  # as published; "parity_bf16" and "ema_fp32" update the sink while training too
    sink_decay: float = 0.999
    shipped_faults: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sink_mode not in SINK_MODES:
            raise ValueError(f"sink_mode = {self.sink_mode!r} must be one of {', '.join(SINK_MODES)}")
        if set(self.shipped_faults) - set(FAULTS):
            raise ValueError(f"shipped_faults = {list(self.shipped_faults)}: known are {list(FAULTS)}")
        if self.reward_std <= 0.0 or self.beta < 0.0 or self.reward_clip < 0.0:
            raise ValueError(
                f"reward_std = {self.reward_std:g} must be above 0, beta = {self.beta:g} and reward_clip = "
                f"{self.reward_clip:g} at least 0"
            )
        Schedule(1.0).warp(self.steps)


def missing(settings: RedmdSettings, folder: Path) -> list[str]:
    """What is not there or does not fit, as sentences."""
    problems = missing_matching(settings, folder)
    if settings.beta > 0.0:
        problems += missing_for(settings.reward, folder)
        decoder = model_preset(settings.model).decoder.file if not problems else None
        if decoder is not None and not decoder.exists():
            problems.append(f"{decoder}: there is no such file (the decoder, which the reward looks through)")
    if not problems:
        size = model_preset(settings.model).transformer.chunk_frames
        broken = [frames for frames in settings.latent_frames if frames % size]
        problems += [f"latent_frames = {frames} is no whole number of chunks of {size}" for frames in broken]
    return problems


class Redmd(Matching):
    """The generator streams as it plays; the critic and the teacher see whole clips."""

    settings: RedmdSettings

    def __init__(self, settings: RedmdSettings, folder: Path) -> None:
        """Load everything on the CPU. Raises CheckpointError and RewardError."""
        super().__init__(settings, folder)
        self._painter = Painter(model_preset(settings.model), self.texts, settings.width, settings.height)
        self._timesteps = Schedule(self.generator.config.timestep_shift).warp(settings.steps)
        self._decoder, self._reward = None, None
        if settings.beta > 0.0:
            self._decoder = load_pixels(model_preset(settings.model))
            self._reward = load_reward(settings.reward, folder)
            if 2 in settings.shipped_faults:
                self._reward.frame_policy = FramePolicy("all")
            self._dimension = reward_dimension(settings.reward)
            self.frozen = {**self.frozen, "decoder": self._decoder, "reward": self._reward}

    def parts(self, step: int) -> tuple[str, ...]:
        """As published; with fault 4 the generator every eighth time, twice on the same micro-batch."""
        found = super().parts(step)
        if 4 not in self.settings.shipped_faults or "generator" not in found:
            return found
        is_due = step % (self.settings.critic_per_generator * SHIPPED_ACCUMULATION) == 0
        return ("generator", *found) if is_due else ("critic",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """As `Matching.loss`."""
        found = super().loss(part, step, draw)
        if 4 in self.settings.shipped_faults and draw.turn > 0:
            return MicroLoss(found.total * 0.0, 0.0, {}, 0.0)
        return found

    def make(self, draw: Draw, embeds: Tensor) -> Tensor:
        """Streams through the cache that plays live, ended at one step for all chunks and ranks."""
        own = self.settings
        exit_step = int(torch.randint(len(self._timesteps), (1,), generator=draw.shared))
        plan = RolloutPlan(
            self._timesteps,
            exit_step,
            own.grad_chunks or -1,
            is_detached=own.is_cache_detached,
            sink_mode=own.sink_mode,
            sink_decay=own.sink_decay,
        )
        noise = self.noise(draw, len(self._timesteps))
        return roll_out(self.generator, self.generator.encode_text(embeds), noise, plan)

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Streams of the panel's prompts, as `objective.Painter`."""
        return self._painter.streams(self.generator, prompts, seed)

    def weights(self, draw: Draw, x0: Tensor, prompts: list[str]) -> tuple[Tensor, dict[str, float]]:
        """exp(beta r) of the decoded clips."""
        if self._reward is None or self._decoder is None:
            return super().weights(draw, x0, prompts)
        own = self.settings
        frames = self._decoder.decode(x0, None)[0].float().clamp(-1.0, 1.0)
        if 1 not in own.shipped_faults:
            frames = (frames + 1.0) / 2.0
        scores = self._reward.score(frames, prompts)[self._dimension]
        rewards = (scores.float() - own.reward_mean) / own.reward_std
        if 3 in own.shipped_faults:
            rewards = rewards[:1].expand_as(rewards)
        weights = reward_weights(rewards, own.beta, own.reward_clip)
        return weights, {"reward": float(scores.mean()), "reward_spread": float(scores.std(unbiased=False))}


STAGE = Stage(
    settings=RedmdSettings,
    build=Redmd,
    missing=missing,
    trainer=TrainerSettings(steps=600, batch=64, micro_batch=1, clip_norm=10.0, ema=0.99, ema_start_step=200),
    optimisers={"generator": OptimiserSettings(rate=2e-6), "critic": OptimiserSettings(rate=4e-7)},
    may_recompute=True,
)
