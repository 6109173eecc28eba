"""Stage `ode`: the block-causal student, regressed to where a teacher's trajectories end (CausVid, arXiv:2412.07772).

Every chunk of a clip stands at a level of its own; chunks see each other as they are, noisy, with the stream's window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.model.config import LATENT_STRIDE
from engine.training.objective import Draw, MicroLoss
from engine.training.objectives.clip_attention import ChunkAttention
from engine.training.objectives.levels import timesteps_of, x0_of
from engine.training.objectives.models import latent_space, load_transformer, missing_model, model_preset
from engine.training.objectives.painting import Painter
from engine.training.objectives.texts import Texts, missing_prompts
from engine.training.objectives.trajectories import PairsError, Trajectories
from engine.training.stage import Stage
from engine.training.trainer.settings import OptimiserSettings, TrainerSettings


@dataclass(frozen=True)
class OdeSettings:
    """Stage `ode`."""

    model: str = "ember"
    start_from: str = "teacher/generator.safetensors"
    pairs: str = "ode_pairs"  # a folder, in the run's or anywhere
    count: int = 0  # trajectories that are used, the first ones; 0 = all. 1,400 is the published number

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count = {self.count} must be at least 0")


def missing(settings: OdeSettings, folder: Path) -> list[str]:
    """What is not there or does not fit, as sentences."""
    problems = missing_model("model", settings.model, settings.start_from, folder)
    try:
        header = Trajectories(folder / settings.pairs).header
    except (PairsError, OSError) as error:
        return [*problems, f"pairs: {error}"]
    if problems:
        return problems
    preset = model_preset(settings.model)
    space, size = latent_space(preset), preset.transformer.chunk_frames
    if header.space != space:
        problems.append(
            f"pairs = {settings.pairs!r} are of another latent space, {header.space}; the model's is {space}"
        )
    if header.shape[0] % size:
        problems.append(f"pairs = {settings.pairs!r}: {header.shape[0]} latent frames are no whole chunks of {size}")
    return problems or [line for line in missing_prompts(preset, "") if "prompts" not in line]


class Ode:
    """One part, the generator."""

    def __init__(self, settings: OdeSettings, folder: Path) -> None:
        """Load everything on the CPU. Raises CheckpointError and PairsError."""
        self.generator = load_transformer(settings.model, settings.start_from, folder)
        self.trained: Mapping[str, nn.Module] = {"generator": self.generator}
        self.frozen: Mapping[str, nn.Module] = {}
        self._pairs = Trajectories(folder / settings.pairs, settings.count)
        self._texts = Texts(model_preset(settings.model), "", folder, self._pairs.prompts)
        height, width = (LATENT_STRIDE * side for side in self._pairs.header.shape[-2:])
        self._painter = Painter(model_preset(settings.model), self._texts, width, height, self._pairs.prompts)
        self._sigmas = torch.tensor(self._pairs.header.sigmas)

    def parts(self, step: int) -> tuple[str, ...]:
        """The generator in every step."""
        return ("generator",)

    def loss(self, part: str, step: int, draw: Draw) -> MicroLoss:
        """Mean square error of x0, over the chunks that are not clean already; a clean one is what others look at."""
        device = self.generator.patch_embedding.weight.device
        chosen = [self._pairs[draw.dice.randrange(len(self._pairs))] for _ in range(draw.samples)]
        states = torch.stack([one.states.float() for one in chosen])  # (B, S, F, C, h, w)
        indices = self._levels(states, draw)  # (B, F)
        noisy = _picked(states, indices).to(device)
        sigma, target = self._sigmas[indices].to(device), states[:, -1].to(device)
        embeds = self._texts.embed([one.prompt for one in chosen]).to(device)
        memory = ChunkAttention(self.generator.config, noisy)
        flow = self.generator(noisy, timesteps_of(sigma), self.generator.encode_text(embeds), memory)
        error = (x0_of(noisy, flow, sigma) - target).square().mean(dim=(2, 3, 4))  # (B, F)
        counts = (sigma > 0.0).float()
        return MicroLoss((error * counts).sum(), float(counts.sum()), {})

    def paint(self, prompts: tuple[str, ...], seed: int) -> Tensor:
        """Streams of the panel's prompts, as `objective.Painter`."""
        return self._painter.streams(self.generator, prompts, seed)

    def _levels(self, states: Tensor, draw: Draw) -> Tensor:
        """A stored state per chunk, drawn for each by itself: indices (B, F)."""
        size = self.generator.config.chunk_frames
        shape = (states.shape[0], states.shape[2] // size)
        return torch.randint(states.shape[1], shape, generator=draw.own).repeat_interleave(size, dim=1)


def _picked(states: Tensor, indices: Tensor) -> Tensor:
    """Of states (B, S, F, C, h, w) the one at each frame's index (B, F): (B, F, C, h, w)."""
    batch, frames = indices.shape
    return states[torch.arange(batch)[:, None], indices, torch.arange(frames)[None]]


STAGE = Stage(
    settings=OdeSettings,
    build=Ode,
    missing=missing,
    trainer=TrainerSettings(steps=1500, batch=64, micro_batch=1, clip_norm=10.0, ema=0.99),
    optimisers={"generator": OptimiserSettings(rate=2e-6)},
    may_recompute=True,
)
