"""Noise levels in training: a timestep per sample, its sigma, x0 and flow. Knows nothing of models."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.model.step_lists import LEVELS


def shifted(u: Tensor, shift: float) -> Tensor:
    """Sigma of a place u in 0..1 of the schedule: s u / (1 + (s - 1) u)."""
    return shift * u / (1.0 + (shift - 1.0) * u)


def uniform_sigmas(count: int, shift: float, lowest: float, highest: float, generator: torch.Generator) -> Tensor:
    """Draw `count` sigmas (B,): a whole level of 0..999, shifted, kept within timesteps `lowest`..`highest` (0..1000).

    As published for distribution matching (arXiv:2512.04678): shift 5, 20..980.
    """
    levels = torch.randint(LEVELS, (count,), generator=generator)
    return shifted(levels / LEVELS, shift).clamp(lowest / LEVELS, highest / LEVELS)


def normal_sigmas(count: int, shift: float, generator: torch.Generator) -> Tensor:
    """Draw `count` sigmas (B,): the logistic function of N(0, 1), shifted (arXiv:2403.03206, logit-normal)."""
    return shifted(torch.randn(count, generator=generator).sigmoid(), shift)


def noised(x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """(1 - sigma) x0 + sigma noise for latents (B, F, C, h, w); sigma (B,) or (B, F)."""
    wide = _wide(sigma, x0)
    return (1.0 - wide) * x0 + wide * noise


def x0_of(noisy: Tensor, flow: Tensor, sigma: Tensor) -> Tensor:
    """x0 = x - sigma v, in float32."""
    return noisy.float() - _wide(sigma, noisy).float() * flow.float()


def per_sample(error: Tensor) -> Tensor:
    """Mean of everything but the first dimension: (B, ..) -> (B,)."""
    return error.flatten(1).mean(dim=1)


def timesteps_of(sigma: Tensor) -> Tensor:
    """What the transformer is told, 0..1000: (B,) -> (B, 1), (B, F) -> (B, F)."""
    return (sigma if sigma.ndim > 1 else sigma[:, None]) * float(LEVELS)


def _wide(sigma: Tensor, latents: Tensor) -> Tensor:
    return sigma.to(latents.device).reshape(*sigma.shape, *(1,) * (latents.ndim - sigma.ndim))
