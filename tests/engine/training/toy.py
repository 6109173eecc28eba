"""A stage for tests of the trainer: two tiny transformers learn what a third, frozen one does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.training.objective import Draw, MicroLoss
from engine.training.stage import Stage
from engine.training.teacher_forcing import Layout, PackedAttention, add_noise, any_timesteps, pack
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings
from tests.engine.tiny import LATENT_HEIGHT, LATENT_WIDTH, TINY, tiny_prompt, tiny_transformer


@dataclass(frozen=True)
class ToySettings:
    """Settings of the toy stage."""

    weight: float = 1.0
    frames: int = 9
    start_from: str = ""
    bad_from: int = 1_000_000  # from this step on losses are no numbers
    bad_until: int = 1_000_000
    end_at: int = 0  # a verdict at this step; 0 = none

    def __post_init__(self) -> None:
        if self.frames != Layout().window_frames:
            raise ValueError(f"frames = {self.frames} must be {Layout().window_frames}, a whole window")


class Toy:
    """The critic learns every step, the generator every other one."""

    def __init__(self, settings: ToySettings) -> None:
        self.settings = settings
        self.trained = {
            name: tiny_transformer(seed=seed).requires_grad_(True) for seed, name in enumerate(("generator", "critic"))
        }
        self.frozen = {"teacher": tiny_transformer(seed=5)}
        self.remembered = 0

    def parts(self, step: int) -> tuple[str, ...]:
        """The critic, then at odd steps the generator."""
        return ("critic", "generator") if step % 2 else ("critic",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """Weighted error of the flow."""
        self.remembered += 1
        shape = (draw.samples, self.settings.frames, TINY.in_dim, LATENT_HEIGHT, LATENT_WIDTH)
        x0, noise = (torch.randn(shape, generator=draw.own) for _ in range(2))
        timesteps = any_timesteps(shape[:2], TINY.timestep_shift, draw.own)
        noisy = add_noise(x0, noise, timesteps)
        with torch.no_grad():
            wanted = self._flow("teacher", x0, noisy, timesteps)
        loss = (self._flow(part, x0, noisy, timesteps) - wanted).square().mean(dim=(1, 2, 3, 4))
        weights = self.settings.weight + torch.rand(draw.samples, generator=draw.own)
        total = (loss * weights).sum()
        if self.settings.bad_from <= step < self.settings.bad_until:
            total = total * torch.nan
        figures = {"plain": float(loss.detach().mean())}
        return MicroLoss(total, float(weights.sum()), figures, float(weights.square().sum()))

    def _flow(self, name: str, x0: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        layout = Layout(TINY.window_frames, TINY.chunk_frames)
        model = (self.trained | self.frozen)[name]
        frames, times = pack(x0[:, : layout.history_frames], noisy, timesteps)
        text = model.encode_text(tiny_prompt().expand(len(x0), -1, -1))
        memory = PackedAttention(TINY, layout, LATENT_HEIGHT, LATENT_WIDTH)
        return model(frames, times, text, memory)[:, layout.history_frames :].float()

    def verdict(self, step: int, figures: dict[str, float]) -> str | None:
        """Ends the run where the settings ask for it."""
        return "it was asked for" if step == self.settings.end_at else None

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Noise, seen through the generator's first weights."""
        clips = torch.rand((max(1, len(prompts)), 5, 3, 16, 24), generator=torch.Generator().manual_seed(seed))
        return clips * self._flow("generator", *(torch.ones(1, 9, 4, 4, 6),) * 2, torch.ones(1, 9)).abs().mean().clamp(
            max=1
        )

    def state_dict(self) -> dict[str, int]:
        """How many losses were made, by a run that is not interrupted."""
        return {"remembered": self.remembered}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Count on."""
        self.remembered = state["remembered"]


def _missing(settings: ToySettings, folder: Path) -> list[str]:
    path = folder / settings.start_from
    return [f"start_from = {path}: there is no such file"] if settings.start_from and not path.exists() else []


TOY = Stage(
    ToySettings,
    lambda settings, folder: Toy(settings),
    _missing,
    TrainerSettings(
        steps=8,
        batch=8,
        micro_batch=2,
        dtype="float32",
        ema=0.9,
        clip_norm=1.0,
        save_every_steps=4,
        threads=1,
        panel_every_steps=4,
    ),
    {name: OptimiserSettings(rate=0.003, beta1=0.9) for name in ("generator", "critic")},
)
