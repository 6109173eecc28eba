"""Stage `reward-lora`: a reward, propagated back through the sampler's steps into a LoRA of a frozen model.

The rollout is the one of inference, so a LoRA is judged as it will be played. A second reward that is not trained,
and movement, are watched: training ends when the trained reward rises while both fall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.lora.writing import write_factors
from engine.rewards.loading import load_reward, reward_dimension
from engine.rewards.motion import Motion
from engine.rewards.protocol import RewardModel, spread
from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.backward_steps import check_steps, graded_steps
from engine.training.objectives.lora_layers import add_lora, lora_factors
from engine.training.objectives.models import load_pixels, load_transformer, model_preset
from engine.training.objectives.reward_streams import (
    LOSSES,
    StreamShape,
    Trend,
    check_choice,
    decode_end,
    missing_reward,
    missing_stream,
    paint_streams,
    reward_loss,
    stream_shape,
)
from engine.training.objectives.texts import Texts
from engine.training.rollout import RolloutPlan, roll_out
from engine.training.stage import Stage, Weights
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings

STYLES = ("VideoX-Fun", "diffusers")  # key styles that are written
PLACES = ("last", "first")
WATCHED = ("generator.reward", "generator.held_out", "generator.motion")
SURE = 2.0  # standard errors a change must have to count


@dataclass(frozen=True)
class RewardLoraSettings:
    """Settings of `reward-lora`. Rank, alpha and the steps are those published for Wan2.1-Fun's reward LoRAs."""

    model: str = "reward-forcing"
    start_from: str = ""  # in the run's folder; "" = the model's own weights
    name: str = "reward"  # of the files that are written
    reward: str = "hps"
    held_out: str = "pickscore"  # watched, never trained; "" = none
    prompts: str = ""  # a text file; "" = captions of the grammar
    width: int = 0  # 0 = the model's own
    height: int = 0
    chunks: int = 7  # of a stream; the last ones are judged
    chunk_frames: int = 0  # latent frames; 0 = the model's own
    judged: str = "last"  # which end of a stream is decoded with a graph
    decoded_latents: int = 1
    sampled_frames: int = 0  # of the decoded ones, evenly spread; 0 = all
    strategy: str = "tail"
    backward_steps: int = 2  # for tail, uniform and random
    step_list: tuple[int, ...] = ()  # for list: steps of the sampler, from 0
    stops_inputs: bool = False  # DRTune, arXiv:2405.00760: no gradient from a step into the one before
    rank: int = 128
    alpha: float = 64.0
    seed: int = 42  # of the fresh LoRA
    loss: str = "distance"
    margin: float = 1.0
    reward_weight: float = 1.0
    watch_window: int = 50  # steps; two windows are compared
    watches: bool = True  # end when the reward rises and both others fall

    def __post_init__(self) -> None:
        check_choice("judged", self.judged, PLACES)
        check_choice("loss", self.loss, LOSSES)
        for name, value in (("chunks", self.chunks), ("decoded_latents", self.decoded_latents), ("rank", self.rank)):
            if value < 1:
                raise ValueError(f"{name} = {value} must be at least 1")
        if self.watch_window < 2 or self.alpha <= 0.0:
            raise ValueError(f"watch_window = {self.watch_window} must be at least 2, alpha = {self.alpha:g} above 0")
        if not self.name or "/" in self.name:
            raise ValueError(f"name = {self.name!r} can be no file's name")


class RewardLora:
    """The objective; `generator` is frozen here and gets its LoRA."""

    def __init__(
        self,
        generator: nn.Module,
        decoder: nn.Module,
        rewards: tuple[RewardModel, RewardModel | None],
        texts: Texts,
        shape: StreamShape,
        settings: RewardLoraSettings,
    ) -> None:
        """`rewards` are the trained one and the one held out. Raises ValueError for what does not fit the sampler."""
        check_steps(settings.strategy, len(shape.timesteps), settings.backward_steps, settings.step_list)
        if settings.decoded_latents > settings.chunks * shape.chunk_frames:
            raise ValueError(f"decoded_latents = {settings.decoded_latents}: streams have fewer; make more chunks")
        add_lora(generator, settings.rank, settings.alpha, settings.seed)
        trained, held_out = rewards
        self.trained: Mapping[str, nn.Module] = {"generator": generator}
        frozen: dict[str, nn.Module] = {"decoder": decoder, "reward": trained}
        self.frozen: Mapping[str, nn.Module] = frozen | ({"held_out": held_out} if held_out is not None else {})
        self.settings, self.step = settings, 0
        self._texts, self._shape = texts, shape
        self._motion = Motion()
        self._trend = Trend(WATCHED, settings.watch_window)

    def parts(self, step: int) -> tuple[str, ...]:
        """As `Objective.parts`."""
        return ("generator",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """As `Objective.loss`."""
        self.step = step + 1
        model, settings = self.trained["generator"], self.settings
        device = next(model.parameters()).device
        prompts, embeds = self._texts.draw(draw)
        chunks, graded_chunks = self._chunks()
        noise = self._shape.noise(chunks, draw, device)
        steps = graded_steps(
            settings.strategy, len(self._shape.timesteps), settings.backward_steps, settings.step_list, draw.shared
        )
        plan = RolloutPlan(
            self._shape.timesteps,
            grad_chunks=graded_chunks,
            grad_steps=steps,
            stops_inputs=settings.stops_inputs,
            chunk_frames=self._shape.chunk_frames,
        )
        stream = roll_out(model, model.encode_text(embeds.to(device)), noise, plan)
        count = settings.decoded_latents
        stream = stream[:, :count] if settings.judged == "first" else stream
        _, frames = decode_end(self.frozen["decoder"], stream, graded=count)
        judged = frames
        if 0 < settings.sampled_frames < frames.shape[1]:
            judged = frames[:, spread(frames.shape[1], settings.sampled_frames)]
        rewards = self.frozen["reward"].score(judged, prompts)[reward_dimension(settings.reward)].float()
        losses = reward_loss(rewards, settings.loss, settings.margin, settings.reward_weight)
        figures = {"reward": float(rewards.detach().mean())} | self._watch(frames.detach(), judged.detach(), prompts)
        return MicroLoss(losses.sum(), float(len(prompts)), figures)

    def verdict(self, step: int, figures: Mapping[str, float]) -> str | None:
        """As `Judge.verdict`: ends when the reward surely rises while both watched figures surely fall."""
        if not self.settings.watches or any(name not in figures for name in WATCHED):
            return None
        self._trend.add([figures[name] for name in WATCHED])
        rises, held_out, motion = (self._trend.change(name) for name in WATCHED)
        if not (rises > SURE and held_out < -SURE and motion < -SURE):
            return None
        return (
            f"over the last {self.settings.watch_window} steps {self.settings.reward} rose while"
            f" {self.settings.held_out} and movement fell: it is being fooled; take an earlier checkpoint"
        )

    def state_dict(self) -> dict[str, Tensor]:
        """As `Remembering.state_dict`."""
        return self._trend.state_dict() | {"step": torch.tensor(self.step)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """As `Remembering.load_state_dict`."""
        self._trend.load_state_dict(state)
        self.step = int(state["step"])

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """As `Painter.paint`."""
        model, decoder = self.trained["generator"], self.frozen["decoder"]
        return paint_streams(model, decoder, self._texts, self._shape, self.settings.chunks, prompts, seed)

    def _chunks(self) -> tuple[int, int]:
        """How many chunks are made, and how many of them, at the end, keep a graph."""
        size, count = self._shape.chunk_frames, self.settings.decoded_latents
        reached = -(-count // size)
        return (reached, -1) if self.settings.judged == "first" else (self.settings.chunks, reached)

    @torch.no_grad()
    def _watch(self, frames: Tensor, judged: Tensor, prompts: list[str]) -> dict[str, float]:
        figures = {}
        if frames.shape[1] > 1:
            figures["motion"] = float(self._motion.score(frames, prompts)["degree"].mean())
        if "held_out" in self.frozen:
            key = reward_dimension(self.settings.held_out)
            held_out = self.frozen["held_out"]
            seen = frames if held_out.sees_time else judged
            figures["held_out"] = float(held_out.score(seen, prompts)[key].mean())
        return figures


def lora_metadata(settings: RewardLoraSettings, step: int) -> dict[str, str]:
    """What a file says of itself: all it was made with."""
    facts = {"base_model": settings.model, "start_from": settings.start_from, "rank": settings.rank}
    facts |= {"alpha": settings.alpha, "reward": settings.reward, "held_out": settings.held_out, "step": step}
    facts |= {"strategy": settings.strategy, "backward_steps": settings.backward_steps, "loss": settings.loss}
    facts |= {"stops_inputs": settings.stops_inputs, "decoded_latents": settings.decoded_latents}
    facts |= {"sampled_frames": settings.sampled_frames, "judged": settings.judged, "made_by": "vj train reward-lora"}
    return {key: str(value) for key, value in facts.items()}


def export(objective: RewardLora, weights: Mapping[str, Weights], folder: Path) -> None:
    """As `Stage.export`: NAME.STYLE.safetensors for each key style. Raises LoraError when one cannot be written."""
    settings = objective.settings
    factors = lora_factors(weights["generator"], settings.alpha)
    halved = {name: (down.half(), up.half(), alpha) for name, (down, up, alpha) in factors.items()}
    for style in STYLES:
        path = folder / f"{settings.name}.{style.lower()}.safetensors"
        write_factors(path, halved, style, lora_metadata(settings, objective.step) | {"key_style": style})


def missing(settings: RewardLoraSettings, folder: Path) -> list[str]:
    """As `Stage.missing`."""
    problems = missing_stream(settings.model, settings.start_from, settings.prompts, folder)
    is_one = settings.judged == "first" and settings.decoded_latents == 1  # the first latent frame is one frame
    is_one_sampled = is_one or settings.sampled_frames == 1
    problems += missing_reward("reward", settings.reward, folder, of_single_frames=is_one_sampled, is_trained=True)
    if settings.held_out:
        problems += missing_reward("held_out", settings.held_out, folder, of_single_frames=is_one, is_trained=False)
    return problems


def build(settings: RewardLoraSettings, folder: Path) -> RewardLora:
    """As `Stage.build`."""
    preset = model_preset(settings.model)
    held_out = load_reward(settings.held_out, folder) if settings.held_out else None
    return RewardLora(
        load_transformer(settings.model, settings.start_from, folder),
        load_pixels(preset),
        (load_reward(settings.reward, folder), held_out),
        Texts(preset, settings.prompts, folder),
        stream_shape(preset, settings.width, settings.height, settings.chunk_frames),
        settings,
    )


STAGE = Stage(
    RewardLoraSettings,
    build,
    missing,
    TrainerSettings(steps=5000, batch=8, clip_norm=1.0, ema=0.0, save_every_steps=500, best="generator.reward"),
    {"generator": OptimiserSettings(rate=1e-4, beta1=0.9, beta2=0.999, weight_decay=0.01)},
    export,
)
