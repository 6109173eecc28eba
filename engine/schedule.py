"""Flow-matching arithmetic: sigmas, warped steps, flow to x0, re-noising. Knows nothing of models or caches."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.model.step_lists import LEVELS, PUBLISHED_STEPS, check_steps

__all__ = ["LEVELS", "PUBLISHED_STEPS", "Schedule", "flow_to_x0", "renoise"]


class Schedule:
    """The 1000-level table with its shift s, sigma_min 0: u_i = 1 - i / 1000, sigma_i = s u_i / (1 + (s - 1) u_i)."""

    def __init__(self, shift: float) -> None:
        u = 1.0 - torch.arange(LEVELS, dtype=torch.float64) / LEVELS
        self.sigmas = (shift * u / (1.0 + (shift - 1.0) * u)).float()  # (1000,)
        self.timesteps = self.sigmas * LEVELS

    def warp(self, steps: tuple[int, ...]) -> tuple[float, ...]:
        """Timesteps of unwarped indices: 1000, 750, 500, 250 -> 1000, 937.5, 833.33, 625 at shift 5."""
        check_steps(steps)
        table = [*self.timesteps.tolist(), 0.0]
        return tuple(table[LEVELS - step] for step in steps)

    @staticmethod
    def choose(timesteps: tuple[float, ...], count: int) -> tuple[float, ...]:
        """Take `count` of a model's own steps (all of them, at most), the first one always, evenly spread."""
        kept = min(max(count, 1), len(timesteps))
        return tuple(timesteps[i * len(timesteps) // kept] for i in range(kept))

    def nearest(self, sigma: float) -> float:
        """Timestep of the table entry whose sigma is nearest to one, 0..1."""
        return self.timesteps[(self.sigmas - sigma).abs().argmin()].item()

    def sigma(self, timestep: float) -> float:
        """Sigma of the table entry nearest to a timestep. Timestep 0 gives the lowest entry, not 0."""
        return self.sigmas[(self.timesteps - timestep).abs().argmin()].item()

    def times(self, latents: Tensor, *timesteps: float) -> Tensor:
        """What the network is told of one timestep for all frames of latents (B, F, ...), or of one for each: (B, F).

        float32 as published, never the activations' type; filled on the device, so that nothing waits.
        """
        batch, frames = latents.shape[:2]
        if len(timesteps) == 1:
            return torch.full((batch, frames), timesteps[0], dtype=torch.float32, device=latents.device)
        columns = [torch.full((batch, 1), t, dtype=torch.float32, device=latents.device) for t in timesteps]
        return torch.cat(columns, dim=1)


def flow_to_x0(x: Tensor, flow: Tensor, sigma: float) -> Tensor:
    """x0 = x - sigma * v, in float64, back in x's dtype."""
    wide = torch.float32 if x.device.type == "mps" else torch.float64  # MPS has no float64
    return (x.to(wide) - sigma * flow.to(wide)).to(x.dtype)


def renoise(x0: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """x = (1 - sigma) * x0 + sigma * noise in float32, back in x0's dtype.

    The products are made in float32 on purpose: in bfloat16 they cost 0.6 %.
    """
    level = torch.tensor([sigma], dtype=torch.float32)
    keep = (1.0 - level).item()
    return (keep * x0.float() + level.item() * noise.float()).to(x0.dtype)
