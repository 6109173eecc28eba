"""Stage `causal`: the block-causal student, trained straight at the sampler's own levels on drawn clips.

History is teacher-forced, later made of the model's own predictions (Self-Forcing, arXiv:2506.08009). No teacher.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.bank import read_bank
from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.flow_matching import missing_bank
from engine.training.objectives.models import FRESH, load_transformer, missing_model, model_preset
from engine.training.objectives.painting import Painter
from engine.training.objectives.texts import Texts, missing_prompts
from engine.training.samples import Samples, SampleShares, draw_samples
from engine.training.stage import Stage
from engine.training.teacher_forcing import Layout, add_noise, any_timesteps, flow_to_x0, packed_flow
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings
from engine.training.worn_history import Wear, worn

OWN_HISTORY_STEPS = 0.6  # of the micro-batches, once it has begun
OWN_HISTORY_SAMPLES = 0.75  # of the samples of such a micro-batch


@dataclass(frozen=True)
class CausalSettings:
    """Stage `causal`. Shares are of the samples unless something else is said."""

    model: str = "ember"
    start_from: str = FRESH  # "" = the model's own weights, or a file
    banks: tuple[str, ...] = ("bank",)  # folders in the run's
    bank_weights: tuple[float, ...] = (1.0,)
    own_history_from_step: int = 3000  # from then on histories are often the model's own predictions
    history_noise: float = 0.15
    fade_share: float = 0.3  # the history faded to a flat picture, by a random amount
    blur_share: float = 0.15  # the history blurred, by a random amount
    patch_share: float = 0.0  # a blot of one colour over the history, the sink excepted
    any_step_share: float = 0.3  # of the chunks: a timestep from the whole schedule, not one of the sampler's
    single_share: float = 0.15  # of the micro-batches: chunks of one latent frame
    cut_share: float = 0.12  # the history of another clip
    filler_share: float = 0.07  # a caption that says nothing
    seed: int = 4  # of fresh weights

    def __post_init__(self) -> None:
        if len(self.banks) != len(self.bank_weights) or not self.banks or sum(self.bank_weights) <= 0.0:
            raise ValueError(f"bank_weights = {list(self.bank_weights)}: give one for each of {list(self.banks)}")
        for field in dataclasses.fields(self):
            share = self.__dict__[field.name]
            if field.name.endswith("_share") and not 0.0 <= share <= 1.0:
                raise ValueError(f"{field.name} = {share:g} must lie in 0..1")


def missing(settings: CausalSettings, folder: Path) -> list[str]:
    """What is not there, as sentences."""
    problems = missing_model("model", settings.model, settings.start_from, folder)
    problems += [line for name in settings.banks for line in missing_bank(folder / name)]
    return problems or missing_prompts(model_preset(settings.model), "")


class Causal:
    """One part, the generator."""

    def __init__(self, settings: CausalSettings, folder: Path) -> None:
        """Load everything on the CPU. Raises CheckpointError and ValueError."""
        self.settings = settings
        self.generator = load_transformer(settings.model, settings.start_from, folder, settings.seed)
        self.trained: Mapping[str, nn.Module] = {"generator": self.generator}
        self.frozen: Mapping[str, nn.Module] = {}
        self._banks = [read_bank(folder / name) for name in settings.banks]
        self._texts = Texts(model_preset(settings.model), "", folder)
        self._painter = Painter(model_preset(settings.model), self._texts, 0, 0)
        self._shares = SampleShares(settings.cut_share, settings.filler_share)
        self._wear = Wear(settings.history_noise, settings.fade_share, settings.blur_share, settings.patch_share)
        self._timesteps = torch.tensor(Schedule(self.generator.config.timestep_shift).warp(PUBLISHED_STEPS))

    def parts(self, step: int) -> tuple[str, ...]:
        """The generator in every step."""
        return ("generator",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """Mean square error of the flow over the latent frames that can be told from their history."""
        config, own = self.generator.config, self.settings
        device = self.generator.patch_embedding.weight.device
        is_single = bool(torch.rand((), generator=draw.shared) < own.single_share)
        layout = Layout(config.window_frames, 1 if is_single else config.chunk_frames)
        number = int(torch.multinomial(torch.tensor(own.bank_weights), 1, generator=draw.shared))
        samples = draw_samples(self._banks[number], self._shares, draw.samples, config, layout.chunk_frames, draw.dice)
        embeds = self._texts.embed_blends(samples.prompts).to(device)
        history = worn(samples.history, self._wear, config.sink_frames, draw.own)
        if step >= own.own_history_from_step and draw.dice.random() < OWN_HISTORY_STEPS:
            history = worn(
                self._own_history(samples, history, layout, embeds, draw), self._wear, config.sink_frames, draw.own
            )
        noise = torch.randn(samples.target.shape, generator=draw.own)
        timesteps = self._random_timesteps(samples.target, layout, draw)
        noisy = add_noise(samples.target, noise, timesteps)
        flow = packed_flow(self.generator, history.to(device), noisy.to(device), timesteps.to(device), embeds, layout)
        error = (flow - (noise - samples.target).to(device)).square().mean(dim=(2, 3, 4))
        return MicroLoss((error * samples.counts.to(device)).sum(), float(samples.counts.sum()), {})

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Streams of the panel's prompts, as `objective.Painter`."""
        return self._painter.streams(self.generator, prompts, seed)

    @torch.no_grad()
    def _own_history(self, samples: Samples, history: Tensor, layout: Layout, embeds: Tensor, draw: Draw) -> Tensor:
        """Replace most samples' history by what the model makes of it at a random step (no rollout)."""
        timesteps = self._random_timesteps(samples.target, layout, draw)
        noisy = add_noise(samples.target, torch.randn(samples.target.shape, generator=draw.own), timesteps)
        device = embeds.device
        flow = packed_flow(self.generator, history.to(device), noisy.to(device), timesteps.to(device), embeds, layout)
        made = flow_to_x0(noisy, flow.cpu(), timesteps)[:, : layout.history_frames]
        # samples with a foreign history keep it
        same = (samples.history == samples.target[:, : layout.history_frames]).flatten(1).all(dim=1)
        chosen = torch.rand(len(made), generator=draw.own) < OWN_HISTORY_SAMPLES
        return torch.where((chosen & same)[:, None, None, None, None], made, history)

    def _random_timesteps(self, target: Tensor, layout: Layout, draw: Draw) -> Tensor:
        """A timestep for every chunk of every sample, mostly one of the sampler's: (B, window)."""
        shape = (len(target), layout.chunks)
        timesteps = self._timesteps[torch.randint(len(self._timesteps), shape, generator=draw.own)]
        # the others make the model a score at every level, which distillation asks it for later
        anywhere = any_timesteps(shape, self.generator.config.timestep_shift, draw.own)
        is_any = torch.rand(shape, generator=draw.own) < self.settings.any_step_share
        return torch.where(is_any, anywhere, timesteps).repeat_interleave(layout.chunk_frames, dim=1)


STAGE = Stage(
    settings=CausalSettings,
    build=Causal,
    missing=missing,
    trainer=TrainerSettings(
        steps=6000, batch=8, micro_batch=8, clip_norm=0.0, warm_up_steps=60, hold=0.6, rate_floor=0.02, ema=0.998
    ),
    optimisers={"generator": OptimiserSettings(kind="muon", rate=0.02, adam_rate=0.002, beta1=0.9)},
    may_recompute=True,
)
