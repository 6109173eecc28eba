"""Stage `teacher`: bidirectional flow matching on drawn clips (arXiv:2210.02747; levels as arXiv:2403.03206).

All frames of a clip stand at one level and see each other. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.model.config import LATENT_STRIDE
from engine.training.bank import Bank, read_bank
from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.levels import noised, normal_sigmas, per_sample
from engine.training.objectives.models import FRESH, load_transformer, missing_model, model_preset
from engine.training.objectives.painting import Painter
from engine.training.objectives.score import flow_of
from engine.training.objectives.texts import Texts, missing_prompts
from engine.training.samples import Prompt, describe
from engine.training.stage import Stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings


@dataclass(frozen=True)
class TeacherSettings:
    """Stage `teacher`."""

    model: str = "ember"
    start_from: str = FRESH  # "" = the model's own weights, or a file
    banks: tuple[str, ...] = ("bank",)  # folders in the run's
    bank_weights: tuple[float, ...] = (1.0,)
    latent_frames: int = 9  # of each clip, from its beginning
    level_shift: float = 3.0
    without_prompt: float = 0.1  # share of the samples with an empty prompt, for guidance
    seed: int = 8  # of fresh weights

    def __post_init__(self) -> None:
        if len(self.banks) != len(self.bank_weights) or not self.banks or sum(self.bank_weights) <= 0.0:
            raise ValueError(f"bank_weights = {list(self.bank_weights)}: give one for each of {list(self.banks)}")
        if self.latent_frames < 1 or self.level_shift <= 0.0 or not 0.0 <= self.without_prompt <= 1.0:
            raise ValueError("latent_frames must be at least 1, level_shift above 0, without_prompt within 0..1")


def missing(settings: TeacherSettings, folder: Path) -> list[str]:
    """What is not there, as sentences."""
    problems = missing_model("model", settings.model, settings.start_from, folder)
    problems += [line for name in settings.banks for line in missing_bank(folder / name)]
    return problems or missing_prompts(model_preset(settings.model), "")


def missing_bank(folder: Path) -> list[str]:
    """A sentence where a bank of clips is not there."""
    return [] if any(folder.glob("*.pt")) else [f"{folder}: holds no bank of clips; `vj train bank` makes one"]


class Teacher:
    """One part, the generator."""

    def __init__(self, settings: TeacherSettings, folder: Path) -> None:
        """Load everything on the CPU. Raises CheckpointError and ValueError."""
        self.settings = settings
        self.generator = load_transformer(settings.model, settings.start_from, folder, settings.seed)
        self.trained: Mapping[str, nn.Module] = {"generator": self.generator}
        self.frozen: Mapping[str, nn.Module] = {}
        self._banks = [read_bank(folder / name) for name in settings.banks]
        self._texts = Texts(model_preset(settings.model), "", folder)
        height, width = (LATENT_STRIDE * side for side in self._banks[0].start.shape[-2:])
        self._painter = Painter(model_preset(settings.model), self._texts, width, height)

    def parts(self, step: int) -> tuple[str, ...]:
        """The generator in every step."""
        return ("generator",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """sum over samples of mean (v - (noise - x0))^2 at one level per clip."""
        device = self.generator.patch_embedding.weight.device
        weights = torch.tensor(self.settings.bank_weights)
        bank = self._banks[int(torch.multinomial(weights, 1, generator=draw.shared))]  # one size on all ranks
        x0, prompts = self._clips(bank, draw)
        x0, embeds = x0.to(device), self._texts.embed_blends(prompts).to(device)
        sigma = normal_sigmas(len(x0), self.settings.level_shift, draw.own).to(device)
        noise = torch.randn(x0.shape, generator=draw.own).to(device)
        flow = flow_of(self.generator, noised(x0, noise, sigma), sigma, embeds)
        losses = per_sample((flow - (noise - x0)).square())
        return MicroLoss(losses.sum(), float(len(losses)), {})

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Clips of the panel's prompts, as `objective.Painter`."""
        return self._painter.whole(self.generator, prompts, seed, self.settings.latent_frames)

    def _clips(self, bank: Bank, draw: Draw) -> tuple[Tensor, list[Prompt]]:
        """Clips from their beginning and their prompts. Those that switch stay out: one text tells the whole clip."""
        whole = [index for index, plan in enumerate(bank.plans) if not plan.switch_frame]
        chosen = [draw.dice.choice(whole) for _ in range(draw.samples)]
        x0 = torch.stack([bank.start[index, : self.settings.latent_frames].float() for index in chosen])
        if x0.shape[1] < self.settings.latent_frames:
            raise ValueError(
                f"latent_frames = {self.settings.latent_frames}, but the bank's clips have {x0.shape[1]} latent frames"
            )
        prompts = [describe(bank.plans[index], draw.dice) for index in chosen]
        is_empty = [draw.dice.random() < self.settings.without_prompt for _ in chosen]
        return x0, [Prompt("") if empty else prompt for empty, prompt in zip(is_empty, prompts, strict=True)]


STAGE = Stage(
    settings=TeacherSettings,
    build=Teacher,
    missing=missing,
    trainer=TrainerSettings(
        steps=4000, batch=64, micro_batch=8, clip_norm=1.0, warm_up_steps=40, hold=0.6, rate_floor=0.02, ema=0.999
    ),
    optimisers={"generator": OptimiserSettings(kind="muon", rate=0.02, adam_rate=0.002, beta1=0.9)},
    may_recompute=True,
)
