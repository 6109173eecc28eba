"""Distribution matching as formulas: the direction two scores ask for, its loss, the weights of rewards.

DMD, arXiv:2311.18828; Reward Forcing, arXiv:2512.04678. Knows nothing of models.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.training.objectives.levels import per_sample


def direction(x0: Tensor, fake: Tensor, real: Tensor) -> Tensor:
    """(fake - real) / mean |x0 - real| per sample: against it the generator moves. No graph; what is no number is 0."""
    with torch.no_grad():
        fake, real, x0 = fake.float(), real.float(), x0.float()
        size = per_sample((x0 - real).abs()).reshape(-1, *(1,) * (x0.ndim - 1))
        return torch.nan_to_num((fake - real) / size, nan=0.0, posinf=0.0, neginf=0.0)


def matching_loss(x0: Tensor, towards: Tensor) -> Tensor:
    """1/2 mean (x0 - sg(x0 - g))^2 per sample, (B,), in float64: its gradient in x0 is g / numbers per sample."""
    wide = torch.float32 if x0.device.type == "mps" else torch.float64  # MPS has no float64
    target = (x0.to(wide) - towards.to(wide)).detach()
    return 0.5 * per_sample((x0.to(wide) - target).square())


def reward_weights(reward: Tensor, beta: float, clip: float) -> Tensor:
    """exp(beta r) per sample, |beta r| at most `clip` (0 = unbounded, as published); beta 0 gives ones.

    They are divided by their mean over the whole batch where the gradient is divided by their sum.
    """
    exponent = beta * reward.detach().double()
    return (exponent.clamp(-clip, clip) if clip > 0.0 else exponent).exp()
