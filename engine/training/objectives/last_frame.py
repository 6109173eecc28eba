"""Stage `last-frame`: after ODE initialisation, a reward on the last frame of own streams (arXiv:2601.16933).

No data, no teacher, no critic. The gradient goes through the last latent frame's decoding and one step of the last
chunk; everything before is made as it is live. `random-frame` is the same with any frame, which costs movement.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.rewards.loading import load_reward, reward_dimension
from engine.rewards.motion import Motion
from engine.rewards.protocol import RewardModel
from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.models import load_pixels, load_transformer, model_preset
from engine.training.objectives.reward_streams import (
    LOSSES,
    StreamShape,
    Trend,
    check_choice,
    decode_end,
    latent_of,
    missing_reward,
    missing_stream,
    paint_streams,
    reward_loss,
    stream_shape,
)
from engine.training.objectives.texts import Texts
from engine.training.rollout import RolloutPlan, roll_out
from engine.training.stage import Stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings
from engine.vae.latents import frame_count

EXITS = ("last", "uniform")
REWARD, MOTION = "generator.reward", "generator.motion"


@dataclass(frozen=True)
class LastFrameSettings:
    """Settings of `last-frame` and `random-frame`. Reward and length as published; the hinge's figures are ReFL's."""

    model: str = "ember"
    start_from: str = "ode/generator.safetensors"  # in the run's folder; "" = the model's own weights
    reward: str = "imagereward"
    prompts: str = ""  # a text file; "" = captions of the grammar
    width: int = 0  # 0 = the model's own
    height: int = 0
    chunks: int = 7
    chunk_frames: int = 0  # latent frames; 0 = the model's own
    exit: str = "last"  # the sampler's step that ends every chunk and keeps a graph; "uniform" draws one
    loss: str = "hinge"  # "plain" as the paper has it
    margin: float = 2.0
    reward_weight: float = 0.001
    start_weight: float = 0.0  # of the mean square to the frozen start's latents of the same noise
    least_motion: float = 0.9  # share of its movement at the start below which the run ends; 0 = never
    motion_window: int = 25  # steps whose mean counts

    def __post_init__(self) -> None:
        check_choice("exit", self.exit, EXITS)
        check_choice("loss", self.loss, LOSSES)
        if self.chunks < 1 or self.motion_window < 2:
            raise ValueError(
                f"chunks = {self.chunks} must be at least 1, motion_window = {self.motion_window} at least 2"
            )
        if self.least_motion >= 1.0:
            raise ValueError(f"least_motion = {self.least_motion:g} must be below 1: it is a share of the start's")


class FrameReward:
    """Objective of both stages. `picks_any` draws the frame that is judged instead of taking the last."""

    def __init__(
        self,
        generator: nn.Module,
        decoder: nn.Module,
        reward: RewardModel,
        texts: Texts,
        shape: StreamShape,
        settings: LastFrameSettings,
        picks_any: bool = False,
    ) -> None:
        self.trained: Mapping[str, nn.Module] = {"generator": generator}
        frozen = {"decoder": decoder, "reward": reward}
        if settings.start_weight > 0.0:
            frozen["start"] = copy.deepcopy(generator).requires_grad_(False)
        self.frozen: Mapping[str, nn.Module] = frozen
        self._texts, self._shape, self._settings, self._picks_any = texts, shape, settings, picks_any
        self._key = reward_dimension(settings.reward)
        self._motion = Motion()
        self._trend = Trend((MOTION,), settings.motion_window)
        self._first_motion = math.nan  # mean of the first window

    def parts(self, step: int) -> tuple[str, ...]:
        """As `Objective.parts`."""
        return ("generator",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """As `Objective.loss`."""
        model, settings = self.trained["generator"], self._settings
        device = next(model.parameters()).device
        prompts, embeds = self._texts.draw(draw)
        embeds = embeds.to(device)
        latent, inner = self._judged(draw)
        chunks = latent // self._shape.chunk_frames + 1
        noise = self._shape.noise(settings.chunks, draw, device)[:, :, : chunks * self._shape.chunk_frames]
        plan = self._plan(draw)
        stream = roll_out(model, model.encode_text(embeds), noise, plan)
        earlier, frames = decode_end(self.frozen["decoder"], stream[:, : latent + 1], graded=1)
        rewards = self.frozen["reward"].score(frames[:, inner : inner + 1], prompts)[self._key].float()
        losses = reward_loss(rewards, settings.loss, settings.margin, settings.reward_weight)
        figures = {"reward": float(rewards.detach().mean())} | self._movement(earlier, frames)
        if settings.start_weight > 0.0:
            distance = self._distance(stream, embeds, noise, plan)
            figures["from_start"] = float(distance.detach().mean())
            losses = losses + settings.start_weight * distance
        return MicroLoss(losses.sum(), float(len(prompts)), figures)

    def verdict(self, step: int, figures: Mapping[str, float]) -> str | None:
        """As `Judge.verdict`: ends when movement has fallen below its allowed share of the start's."""
        if MOTION not in figures:  # every stream of this step was one frame long
            return None
        self._trend.add((figures[MOTION],))
        mean = self._trend.mean(MOTION)
        if mean is None:
            return None
        if math.isnan(self._first_motion):
            self._first_motion = mean
        least = self._settings.least_motion * self._first_motion
        if mean >= least:
            return None
        return (
            f"movement fell to {mean:.4f}, under {self._settings.least_motion:g} of the {self._first_motion:.4f} at the"
            " start; take an earlier checkpoint, a smaller rate or start_weight above 0"
        )

    def state_dict(self) -> dict[str, Tensor]:
        """As `Remembering.state_dict`."""
        return self._trend.state_dict() | {"first_motion": torch.tensor(self._first_motion, dtype=torch.float64)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """As `Remembering.load_state_dict`."""
        self._trend.load_state_dict(state)
        self._first_motion = float(state["first_motion"])

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """As `Painter.paint`."""
        model, decoder = self.trained["generator"], self.frozen["decoder"]
        return paint_streams(model, decoder, self._texts, self._shape, self._settings.chunks, prompts, seed)

    def _judged(self, draw: Draw) -> tuple[int, int]:
        """Latent frame that holds the judged frame, and which of its frames it is; the same on every rank."""
        frames = frame_count(self._settings.chunks * self._shape.chunk_frames, is_start=True)
        chosen = frames - 1
        if self._picks_any:
            chosen = int(torch.randint(frames, (), generator=draw.shared))
        return latent_of(chosen)

    def _plan(self, draw: Draw) -> RolloutPlan:
        steps = self._shape.timesteps
        exit_step = len(steps) - 1
        if self._settings.exit == "uniform":
            exit_step = int(torch.randint(len(steps), (), generator=draw.shared))
        return RolloutPlan(steps, exit_step, grad_chunks=1, chunk_frames=self._shape.chunk_frames)

    @torch.no_grad()
    def _movement(self, earlier: Tensor, frames: Tensor) -> dict[str, float]:
        clip = torch.cat((earlier, frames.detach()), dim=1)
        return {"motion": float(self._motion.score(clip, [])["degree"].mean())} if clip.shape[1] > 1 else {}

    def _distance(self, stream: Tensor, embeds: Tensor, noise: Tensor, plan: RolloutPlan) -> Tensor:
        """Mean square (B,) between the last chunk and what the frozen start makes of the same noise."""
        start = self.frozen["start"]
        with torch.no_grad():
            wanted = roll_out(start, start.encode_text(embeds), noise, plan)
        size = self._shape.chunk_frames
        return (stream[:, -size:] - wanted[:, -size:]).square().flatten(1).mean(dim=1)


def missing(settings: LastFrameSettings, folder: Path) -> list[str]:
    """As `Stage.missing`."""
    problems = missing_stream(settings.model, settings.start_from, settings.prompts, folder)
    return problems + missing_reward("reward", settings.reward, folder, of_single_frames=True, is_trained=True)


def build_with(settings: LastFrameSettings, folder: Path, *, picks_any: bool) -> FrameReward:
    """The objective of either stage. Raises CheckpointError or ValueError."""
    preset = model_preset(settings.model)
    return FrameReward(
        load_transformer(settings.model, settings.start_from, folder),
        load_pixels(preset),
        load_reward(settings.reward, folder),
        Texts(preset, settings.prompts, folder),
        stream_shape(preset, settings.width, settings.height, settings.chunk_frames),
        settings,
        picks_any,
    )


def build(settings: LastFrameSettings, folder: Path) -> FrameReward:
    """As `Stage.build`."""
    return build_with(settings, folder, picks_any=False)


TRAINER = TrainerSettings(steps=300, batch=8, ema=0.99, best="generator.reward")
OPTIMISERS = {"generator": OptimiserSettings(rate=2e-6, beta1=0.0, beta2=0.999, weight_decay=0.01)}
STAGE = Stage(LastFrameSettings, build, missing, TRAINER, OPTIMISERS)
