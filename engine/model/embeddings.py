"""What enters the transformer besides tokens: the timestep, and the modulation made from it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.kernels.shaping import Folded

TIMESTEP_BASE = 10_000.0


def sinusoid(timesteps: Tensor, freq_dim: int) -> Tensor:
    """Timesteps (B, F) in 0..1000, float32 or wider -> (B, F, freq_dim), cosines first, computed in float64.

    A timestep is never rounded to bfloat16: 937.5 would become 936.
    """
    half = freq_dim // 2
    # ang_j = t * 10000^(-j / half)
    wide = torch.float32 if timesteps.device.type == "mps" else torch.float64  # MPS has no float64
    exponents = torch.arange(half, dtype=wide, device=timesteps.device) / half
    angles = timesteps.to(wide)[..., None] * TIMESTEP_BASE**-exponents
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class Head(nn.Module):
    """The last norm, its modulation and the projection to patches."""

    def __init__(self, dim: int, out_features: int, eps: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=eps, elementwise_affine=False)
        self.head = nn.Linear(dim, out_features)
        self.modulation = nn.Parameter(torch.randn(1, 2, dim) / dim**0.5)

    def fold(self, time: Tensor | Folded) -> Folded:
        """The modulations of a timestep, its own added: (B, F or 1, 2, E)."""
        return time if isinstance(time, Folded) else Folded(self.modulation[:, None] + time[:, :, None])

    def forward(self, x: Tensor, time: Tensor | Folded) -> Tensor:
        """x (B, F, P, E), time (B, F or 1, E) -> (B, F, P, out_features)."""
        shift, scale = self.fold(time).rows.unbind(dim=2)  # each (B, F or 1, E)
        return self.head(self.norm(x) * (1 + scale[:, :, None]) + shift[:, :, None])
