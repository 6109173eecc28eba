"""One chunk from noise to x0: the few-step loop and the clean pass. Knows nothing of texts, pixels or seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from engine.model.attention import AttentionMemory
from engine.model.block import TextKeysValues
from engine.model.transformer import CausalWanTransformer, Modulations
from engine.model.vace import Guide
from engine.schedule import Schedule, flow_to_x0, renoise

CLEAN_TIMESTEP = 0.0  # "context_noise" upstream; the clean pass sees x0 without noise


@dataclass(frozen=True)
class DenoisingStep:
    """What one step found, each (B, F, C, H, W). The last step's x0 is the chunk."""

    flow: Tensor
    x0: Tensor


class FlowModel(Protocol):
    """The transformer, or what stands in for it while it is trained."""

    def __call__(
        self,
        latents: Tensor,
        timesteps: Tensor | Modulations,
        text: list[TextKeysValues],
        memory: AttentionMemory,
        guide: Guide | None = None,
    ) -> Tensor:
        """Flow of latents (B, F, C, h, w) at timesteps (B, F), or at what was made of them, guided or not."""
        ...


@dataclass(frozen=True)
class StepChanges:
    """What may change between the steps of a chunk."""

    text: Callable[[], list[TextKeysValues]] | None = None  # the prompt, asked before every step but the first
    guide: Callable[[int], Guide | None] | None = None  # what guides a step, asked before each by its index


UNCHANGED = StepChanges()


def denoise_chunk(
    model: FlowModel,
    cache: AttentionMemory,
    text: list[TextKeysValues],
    noise: Tensor,
    renoises: Sequence[Tensor],
    timesteps: Sequence[float],
    schedule: Schedule,
    changes: StepChanges = UNCHANGED,
) -> Iterator[DenoisingStep]:
    """Yield each denoising step of one chunk (Self-Forcing, arXiv:2506.08009, Algorithm 2; no guidance).

    noise (B, F, C, H, W); renoises[i] fresh noise after step i, one fewer than timesteps; timesteps warped, 0..1000.
    The cache must stand at this chunk (`begin_chunk`). `changes` are asked while it is made.
    """
    if len(renoises) < len(timesteps) - 1:
        raise ValueError(f"{len(timesteps)} steps need {len(timesteps) - 1} fresh noises, got {len(renoises)}")
    x = noise
    for i, timestep in enumerate(timesteps):
        if changes.text is not None and i > 0:
            text = changes.text()
        guide = changes.guide(i) if changes.guide is not None else None
        flow = model(x, schedule.times(x, timestep), text, cache, guide)
        x0 = flow_to_x0(x, flow, schedule.sigma(timestep))
        yield DenoisingStep(flow, x0)
        if i + 1 < len(timesteps):
            x = renoise(x0, renoises[i], schedule.sigma(timesteps[i + 1]))


def clean_pass(
    model: CausalWanTransformer,
    cache: AttentionMemory,
    text: list[TextKeysValues],
    x0: Tensor,
    times: Tensor | Modulations | None = None,
) -> None:
    """Overwrite the chunk's keys and values with those of its finished latents: what later chunks look back at.

    `times` are those of `CLEAN_TIMESTEP`; None = made here.
    """
    if times is None:
        times = x0.new_full(x0.shape[:2], CLEAN_TIMESTEP, dtype=torch.float32)
    model.remember(x0, times, text, cache)
