"""What the kernels speak of: what follows a norm, the modulations of a timestep, and rows in one byte per number.

Knows nothing of how anything is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FLOAT8 = torch.float8_e4m3fn
LARGEST_FLOAT8 = torch.finfo(FLOAT8).max  # 448
LARGEST_INT8 = 127.0
SMALLEST_PEAK = 1e-12  # a row of zeros gets a scale all the same


@dataclass(frozen=True)
class Folded:
    """One layer's modulations of a timestep, its own added: (B, F or 1, 6, E), or (B, F or 1, 2, E) of the head."""

    rows: Tensor

    @property
    def frames(self) -> int:
        """Latent frames that have modulations of their own; 1 = all share them."""
        return self.rows.shape[1]


@dataclass(frozen=True)
class After:
    """What a norm's outcome is multiplied by and moved by: a weight and bias (E), or rows of modulations, or nothing.

    With modulations: outcome * (1 + rows[scale]) + rows[shift].
    """

    weight: Tensor | None = None
    bias: Tensor | None = None
    modulations: Folded | None = None
    shift: int = 0
    scale: int = 1

    def __post_init__(self) -> None:
        if (self.weight is None) != (self.bias is None):
            raise ValueError("a norm has a weight and a bias, or neither")


@dataclass(frozen=True)
class Rows8:
    """Rows (.., E) in float8 or int8, each with its scale (.., 1) float32: value = number * scale."""

    values: Tensor
    scale: Tensor

    def widened(self, dtype: torch.dtype) -> Tensor:
        """The rows (.., E) as they count."""
        return (self.values.float() * self.scale).to(dtype)


def rows8(x: Tensor, kind: str) -> Rows8:
    """Rows (.., E) in one byte per number, `kind` "fp8" or "int8": each fills the type's range."""
    wide = x.float()
    largest = LARGEST_FLOAT8 if kind == "fp8" else LARGEST_INT8
    scale = wide.abs().amax(dim=-1, keepdim=True).clamp_min(SMALLEST_PEAK) / largest
    numbers = wide / scale
    if kind == "fp8":
        return Rows8(numbers.clamp_(-largest, largest).to(FLOAT8), scale)
    return Rows8(numbers.round_().to(torch.int8), scale)
