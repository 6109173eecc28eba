"""Clips of a few fixed prompts, painted while a model learns: streams of a student, whole clips of a teacher.

Loads the decoder when the first panel is due. Knows nothing of losses.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from engine.model.transformer import CausalWanTransformer
from engine.model_presets import ModelPreset
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.objectives.levels import shifted
from engine.training.objectives.models import latent_size, load_pixels
from engine.training.objectives.score import few_step_clips, guided_flow
from engine.training.objectives.texts import Texts
from engine.training.rollout import RolloutPlan, roll_out

OWN_PROMPTS = (
    "a tunnel of blue light",
    "golden particles drifting slowly",
    "a kaleidoscope in red and violet",
    "black ink blooming in water",
    "green aurora, fast",
    "molten silver metal",
)
CHUNKS = 4  # of a stream
EULER_STEPS, GUIDANCE = 24, 4.0  # of a many-step teacher, in the standard convention


class Painter:
    """Paints clips (prompts, frames, 3, H, W) in 0..1 for one model. All ranks call together."""

    def __init__(
        self, preset: ModelPreset, texts: Texts, width: int, height: int, listed: tuple[str, ...] = ()
    ) -> None:
        """Sizes in pixels, 0 = the model's own. `listed` are what the model is trained on, where there is a list."""
        self._own = (listed or texts.first(len(OWN_PROMPTS)) or OWN_PROMPTS)[: len(OWN_PROMPTS)]
        self._preset, self._texts = preset, texts
        self._size = latent_size(width or preset.stream.width, height or preset.stream.height)
        self._decoder: nn.Module | None = None

    def streams(self, model: CausalWanTransformer, prompts: tuple[str, ...], seed: int) -> Tensor:
        """As the instrument plays them, by the model's own steps."""
        config = model.config
        plan = RolloutPlan(Schedule(config.timestep_shift).warp(PUBLISHED_STEPS), grad_chunks=0)

        def make(embeds: Tensor, generator: torch.Generator) -> Tensor:
            frames = CHUNKS * config.chunk_frames
            noise = self._noise(model, (len(plan.timesteps), len(embeds), frames), generator)
            return roll_out(model, model.encode_text(embeds), noise.to(embeds.device), plan)

        return self._painted(model, prompts, seed, make)

    def whole(self, model: CausalWanTransformer, prompts: tuple[str, ...], seed: int, latent_frames: int) -> Tensor:
        """Clips of a bidirectional model by Euler's method, guided."""
        shift = model.config.timestep_shift
        sigmas = shifted(1.0 - torch.arange(EULER_STEPS + 1) / EULER_STEPS, shift).tolist()

        def make(embeds: Tensor, generator: torch.Generator) -> Tensor:
            x = self._noise(model, (len(embeds), latent_frames), generator).to(embeds.device)
            negative = self._texts.embed([""])[0].to(embeds.device)
            for now, following in zip(sigmas, sigmas[1:], strict=False):
                sigma = torch.full((len(x),), now, device=x.device)
                x = x + (following - now) * guided_flow(model, x, sigma, embeds, negative, GUIDANCE, "standard")
            return x

        return self._painted(model, prompts, seed, make)

    def few_step(
        self,
        model: CausalWanTransformer,
        prompts: tuple[str, ...],
        seed: int,
        timesteps: tuple[float, ...],
        latent_frames: int,
    ) -> Tensor:
        """Clips of a bidirectional model in its few steps, 0..1000, without guidance."""

        def make(embeds: Tensor, generator: torch.Generator) -> Tensor:
            noise = self._noise(model, (len(timesteps), len(embeds), latent_frames), generator).to(embeds.device)
            return few_step_clips(model, noise, embeds, timesteps, len(timesteps) - 1)

        return self._painted(model, prompts, seed, make)

    @torch.no_grad()
    def _painted(
        self,
        model: CausalWanTransformer,
        prompts: tuple[str, ...],
        seed: int,
        make: Callable[[Tensor, torch.Generator], Tensor],
    ) -> Tensor:
        device = model.patch_embedding.weight.device
        if self._decoder is None:
            self._decoder = load_pixels(self._preset).to(device)
        embeds = self._texts.embed(list(prompts or self._own)).to(device)
        x0 = make(embeds, torch.Generator().manual_seed(seed))
        frames = self._decoder.decode(x0.float(), None)[0]
        return (frames.float().clamp(-1.0, 1.0) + 1.0) / 2.0

    def _noise(self, model: CausalWanTransformer, sizes: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.randn((*sizes, model.config.in_dim, *self._size), generator=generator)
