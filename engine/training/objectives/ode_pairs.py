"""Stage `ode-pairs`: trajectories of a bidirectional teacher, for `ode`. A job that resumes shard by shard.

Several processes (torchrun) share the shards. Knows nothing of the student.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.loading import choose_device, choose_dtype
from engine.model.transformer import CausalWanTransformer
from engine.progress import Progress
from engine.training.objective import Draw
from engine.training.objectives.levels import shifted
from engine.training.objectives.matching import check_common
from engine.training.objectives.models import (
    latent_size,
    latent_space,
    load_transformer,
    missing_model,
    model_preset,
)
from engine.training.objectives.score import CONVENTIONS, guided_flow
from engine.training.objectives.texts import Texts, missing_prompts, negative_text
from engine.training.objectives.trajectories import Trajectory, write_shard
from engine.training.stage import Job


@dataclass(frozen=True)
class OdePairsSettings:
    """Stage `ode-pairs`. Defaults are the published numbers, but for model and size.

    A few-step teacher is sampled in its own steps: steps 4, shift 5, guidance 1, stored 0, 1, 2, 3.
    """

    name: str = "ode_pairs"  # of the folder
    model: str = "ember"
    start_from: str = "teacher/generator.safetensors"
    prompts: str = ""  # a text file, one prompt per line; empty = captions of the clips' grammar
    negative_prompt: str = ""  # a text, or "wan" for Wan2.1's own
    count: int = 1400  # trajectories; with a list of prompts at most one each
    steps: int = 48  # Euler steps, evenly over the shifted schedule
    shift: float = 8.0
    guidance: float = 6.0
    guidance_convention: str = "standard"  # u + w (c - u)
    stored: tuple[int, ...] = (0, 12, 24, 36)  # steps whose states are kept; the end is, always
    width: int = 256
    height: int = 144
    latent_frames: int = 9
    shard_pairs: int = 20  # per file
    batch: int = 4
    seed: int = 6
    device: str = "auto"
    dtype: str = "auto"

    def __post_init__(self) -> None:
        check_common(self.width, self.height, (self.latent_frames,))
        if min(self.count, self.steps, self.shard_pairs, self.batch) < 1 or self.shift <= 0.0:
            raise ValueError("count, steps, shard_pairs and batch must be at least 1, shift above 0")
        if self.guidance_convention not in CONVENTIONS:
            raise ValueError(
                f"guidance_convention = {self.guidance_convention!r} must be one of {', '.join(CONVENTIONS)}"
            )
        if not self.stored or list(self.stored) != sorted({*self.stored}) or not 0 <= self.stored[-1] < self.steps:
            raise ValueError(f"stored = {list(self.stored)} must rise within 0..{self.steps - 1}, the steps there are")
        if self.stored[0] != 0:
            raise ValueError(f"stored = {list(self.stored)} must begin with 0: a stream begins with pure noise")

    @property
    def sigmas(self) -> tuple[float, ...]:
        """Noise levels of all steps, 1 falling to 0: steps + 1 of them."""
        u = 1.0 - torch.arange(self.steps + 1, dtype=torch.float64) / self.steps
        return tuple(shifted(u, self.shift).tolist())

    @property
    def stored_sigmas(self) -> tuple[float, ...]:
        """Noise levels of the stored states, the clip's 0 included."""
        return (*(self.sigmas[step] for step in self.stored), 0.0)


def missing(settings: OdePairsSettings, folder: Path) -> list[str]:
    """What is not there, as sentences."""
    problems = missing_model("model", settings.model, settings.start_from, folder)
    return problems or missing_prompts(model_preset(settings.model), settings.prompts)


@torch.no_grad()
def trajectory_states(
    model: CausalWanTransformer, noise: Tensor, embeds: Tensor, negative: Tensor, settings: OdePairsSettings
) -> Tensor:
    """States (B, S, F, C, h, w) float32 on the way from noise (B, F, C, h, w), the clip last.

    x <- x + (sigma' - sigma) v, Euler's method (arXiv:2209.03003).
    """
    x, kept, sigmas = noise.float(), [], settings.sigmas
    for step in range(settings.steps):
        if step in settings.stored:
            kept.append(x)
        sigma = torch.full((len(x),), sigmas[step], device=x.device)
        flow = guided_flow(model, x, sigma, embeds, negative, settings.guidance, settings.guidance_convention)
        x = x + (sigmas[step + 1] - sigmas[step]) * flow
    return torch.stack([*kept, x], dim=1)


def make_pairs(settings: OdePairsSettings, folder: Path) -> None:
    """Write every shard that is not there yet. Raises CheckpointError."""
    out = folder / settings.name
    out.mkdir(parents=True, exist_ok=True)
    preset = model_preset(settings.model)
    texts = Texts(preset, settings.prompts, folder, (negative_text(settings.negative_prompt),))
    prompts = texts.listed(settings.count, settings.seed)
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    starts = range(0, len(prompts), settings.shard_pairs)
    wanted = [start for number, start in enumerate(starts) if number % size == rank]
    device = choose_device(settings.device)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    number_type = choose_dtype(settings.dtype, device)
    model = load_transformer(settings.model, settings.start_from, folder).to(device).eval().requires_grad_(False)
    narrow = torch.autocast(device.type, number_type) if number_type != torch.float32 else contextlib.nullcontext()
    with Progress("ode-pairs", len(wanted), "file") as progress:
        for start in wanted:
            path = out / f"{start // settings.shard_pairs:05d}.safetensors"
            if not path.exists():
                chosen = prompts[start : start + settings.shard_pairs]
                with narrow:  # not while writing: halves cannot be stacked in it
                    made = _make(model, texts, chosen, start, settings)
                write_shard(path, made, settings.stored_sigmas, latent_space(preset))
            progress.advance(1)


def _make(
    model: CausalWanTransformer, texts: Texts, prompts: list[str], first: int, settings: OdePairsSettings
) -> list[Trajectory]:
    device = model.patch_embedding.weight.device
    negative = texts.embed([negative_text(settings.negative_prompt)])[0].to(device)
    shape = (settings.latent_frames, model.config.in_dim, *latent_size(settings.width, settings.height))
    made = []
    for start in range(0, len(prompts), settings.batch):
        own = prompts[start : start + settings.batch]
        # a trajectory's noise depends on its number alone, not on shards, batches or processes
        draws = [Draw(settings.seed, first + start + row, "pair", 0, 0, 1) for row in range(len(own))]
        noise = torch.stack([torch.randn(shape, generator=draw.own) for draw in draws]).to(device)
        states = trajectory_states(model, noise, texts.embed(own).to(device), negative, settings)
        made += [Trajectory(prompt, state.cpu()) for prompt, state in zip(own, states, strict=True)]
    return made


STAGE = Job(OdePairsSettings, make_pairs, missing)
