"""What both kinds of distribution matching share: a generator, its critic, a frozen teacher, and their two losses.

Knows nothing of how clips are made: redmd.py streams them, few_step.py makes them whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.distribution_matching import direction, matching_loss
from engine.training.objectives.levels import noised, per_sample, uniform_sigmas, x0_of
from engine.training.objectives.models import (
    latent_size,
    load_transformer,
    misfits,
    missing_model,
    model_preset,
)
from engine.training.objectives.score import CONVENTIONS, flow_of, guided_flow
from engine.training.objectives.texts import Texts, missing_prompts, negative_text


@dataclass(frozen=True)
class MatchingSettings:
    """What redmd and few-step-teacher have in common. Models are presets, `*_from` weight files; "" = the preset's own.

    Weight files are looked for in the run's folder first. Timesteps are 0..1000.
    """

    model: str = "ember"  # the generator's; its text encoder and latents are everybody's
    start_from: str = "ode/generator.safetensors"
    teacher: str = "ember"
    teacher_from: str = "teacher/generator.safetensors"
    critic: str = "ember"
    critic_from: str = "teacher/generator.safetensors"
    prompts: str = ""  # a text file, one prompt per line; empty = captions of the clips' grammar
    negative_prompt: str = ""  # a text, or "wan" for Wan2.1's own
    width: int = 256
    height: int = 144
    latent_frames: tuple[int, ...] = (9,)  # lengths of clips; each micro-batch has one of them
    guidance: float = 3.0
    guidance_convention: str = "configured"  # c + w (c - u); "standard" is u + w (c - u)
    level_shift: float = 5.0  # of the levels at which the scores are compared
    lowest_timestep: float = 20.0
    highest_timestep: float = 980.0
    critic_per_generator: int = 5  # critic steps for each step of the generator
    critic_first_steps: int = 0  # before the generator moves

    def __post_init__(self) -> None:
        check_common(self.width, self.height, self.latent_frames)
        if self.guidance_convention not in CONVENTIONS:
            known = ", ".join(CONVENTIONS)
            raise ValueError(f"guidance_convention = {self.guidance_convention!r} must be one of {known}")
        if not 0.0 <= self.lowest_timestep < self.highest_timestep <= 1000.0:
            raise ValueError(
                f"lowest_timestep = {self.lowest_timestep:g}, highest_timestep = {self.highest_timestep:g}: must rise "
                "within 0..1000"
            )
        if self.critic_per_generator < 1:
            raise ValueError(f"critic_per_generator = {self.critic_per_generator} must be at least 1")


def check_common(width: int, height: int, lengths: tuple[int, ...]) -> None:
    """Raise ValueError for a size or a length no clip can have."""
    try:
        latent_size(width, height)
    except ValueError as error:
        raise ValueError(f"width, height: {error}") from None
    if not lengths or min(lengths) < 1:
        raise ValueError(f"latent_frames = {list(lengths)}: give lengths of at least 1 latent frame")


def missing_matching(settings: MatchingSettings, folder: Path) -> list[str]:
    """What is not there or does not fit, as sentences; only looks."""
    problems = missing_model("model", settings.model, settings.start_from, folder)
    problems += missing_model("teacher", settings.teacher, settings.teacher_from, folder)
    problems += missing_model("critic", settings.critic, settings.critic_from, folder)
    problems += misfits("teacher", settings.teacher, settings.model)
    problems += misfits("critic", settings.critic, settings.model)
    return problems or missing_prompts(model_preset(settings.model), settings.prompts)


class Matching:
    """Generator and critic in turns. `make` is what a kind of generator adds."""

    def __init__(self, settings: MatchingSettings, folder: Path) -> None:
        """Load everything on the CPU. Raises CheckpointError."""
        self.settings = settings
        preset = model_preset(settings.model)
        self.generator = load_transformer(settings.model, settings.start_from, folder)
        self.critic = load_transformer(settings.critic, settings.critic_from, folder)
        self.teacher = load_transformer(settings.teacher, settings.teacher_from, folder)
        self.trained: Mapping[str, nn.Module] = {"generator": self.generator, "critic": self.critic}
        self.frozen: Mapping[str, nn.Module] = {"teacher": self.teacher}
        negative = negative_text(settings.negative_prompt)
        self.texts = Texts(preset, settings.prompts, folder, (negative,))
        self._negative = self.texts.embed([negative])[0]

    def parts(self, step: int) -> tuple[str, ...]:
        """The critic in every step, the generator ahead of it in every `critic_per_generator`-th."""
        own = self.settings
        moves = step >= own.critic_first_steps and step % own.critic_per_generator == 0
        return ("generator", "critic") if moves else ("critic",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """Loss of one micro-batch of the generator or the critic."""
        prompts, embeds = self.texts.draw(draw)
        embeds = embeds.to(self.device)
        if part == "generator":
            return self._generator_loss(draw, prompts, embeds)
        with torch.no_grad():
            x0 = self.make(draw, embeds)
        return self._critic_loss(draw, x0, embeds)

    def make(self, draw: Draw, embeds: Tensor) -> Tensor:
        """Clips x0 (B, F, C, h, w) of the generator, with a graph where gradients are enabled."""
        raise NotImplementedError

    def weights(self, draw: Draw, x0: Tensor, prompts: list[str]) -> tuple[Tensor, dict[str, float]]:
        """A weight per sample (B,) float64, and figures about them. Called without gradients."""
        return torch.ones(len(x0), dtype=torch.float64), {}

    @property
    def device(self) -> torch.device:
        """Where the trainer has put the generator."""
        return self.generator.patch_embedding.weight.device

    def noise(self, draw: Draw, steps: int) -> Tensor:
        """Noise (steps, B, F, C, h, w) for clips of a length that is the same on all ranks."""
        lengths = self.settings.latent_frames
        frames = lengths[int(torch.randint(len(lengths), (1,), generator=draw.shared))]
        size = latent_size(self.settings.width, self.settings.height)
        shape = (steps, draw.samples, frames, self.generator.config.in_dim, *size)
        return torch.randn(shape, generator=draw.own).to(self.device)

    def _generator_loss(self, draw: Draw, prompts: list[str], embeds: Tensor) -> MicroLoss:
        """sum over samples of weight * 1/2 mean (x - sg(x - g))^2."""
        own = self.settings
        x0 = self.make(draw, embeds)
        with torch.no_grad():
            sigma, noisy, _ = self._noised(draw, x0)
            negative = self._negative.to(self.device)
            flow = guided_flow(self.teacher, noisy, sigma, embeds, negative, own.guidance, own.guidance_convention)
            real = x0_of(noisy, flow, sigma)
            fake = x0_of(noisy, flow_of(self.critic, noisy, sigma, embeds), sigma)
            weights, figures = self.weights(draw, x0.detach(), prompts)
        towards = direction(x0, fake, real)
        losses = matching_loss(x0, towards)
        weights = weights.to(losses)
        figures |= {
            "gap": float((fake - real).abs().mean()),
            "std": float(x0.detach().std()),
            "motion": float((x0[:, 1:] - x0[:, :-1]).detach().abs().mean()) if x0.shape[1] > 1 else 0.0,
        }
        return MicroLoss((weights * losses).sum(), float(weights.sum()), figures, float(weights.square().sum()))

    def _critic_loss(self, draw: Draw, x0: Tensor, embeds: Tensor) -> MicroLoss:
        """Flow matching on what the generator makes: sum over samples of mean (v - (noise - x0))^2."""
        sigma, noisy, noise = self._noised(draw, x0)
        flow = flow_of(self.critic, noisy, sigma, embeds)
        losses = per_sample((flow - (noise - x0).float()).square())
        return MicroLoss(losses.sum(), float(len(losses)), {})

    def _noised(self, draw: Draw, x0: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = self.settings
        sigma = uniform_sigmas(len(x0), own.level_shift, own.lowest_timestep, own.highest_timestep, draw.own)
        noise = torch.randn(x0.shape, generator=draw.own).to(x0)
        sigma = sigma.to(x0.device)
        return sigma, noised(x0.detach(), noise, sigma), noise
