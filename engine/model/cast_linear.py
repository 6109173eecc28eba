"""A linear layer that stores its weight narrower than it computes: float8 or bfloat16, widened for each call.

Memory is the stored weight and one widened layer at a time. Knows nothing of files or models.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

FLOAT8 = torch.float8_e4m3fn
LARGEST_FLOAT8 = torch.finfo(FLOAT8).max  # 448


class CastLinear(nn.Module):
    """y = x (weight * scale)^T + bias, computed in x's number type.

    `weight` (out, in) is a parameter in the stored type, `scale` a float32 buffer: one number, (out, 1), or None for 1;
    `bias` may be None.
    """

    def __init__(self, weight: Tensor, scale: Tensor | None = None, bias: Tensor | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.register_buffer("scale", None if scale is None else _column(scale))
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(.., in) -> (.., out) in x's number type."""
        return functional.linear(x, self.widened(x.dtype), None if self.bias is None else self.bias.to(x.dtype))

    def widened(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """The weight as it counts, (out, in), scaled in float32 where `dtype` is that, else in `dtype`."""
        weight = self.weight.to(dtype)
        return weight if self.scale is None else weight * self.scale.to(dtype)

    @torch.no_grad()
    def narrow(self, weight: Tensor) -> None:
        """Store a weight (out, in) of any wide type: in float8 with a scale of its own per row, else rounded."""
        if self.weight.dtype != FLOAT8:
            self.weight.copy_(weight)
            return
        stored, scale = to_float8(weight)
        self.weight.copy_(stored)
        self.scale = scale.to(self.weight.device)


class CastEmbedding(nn.Module):
    """Rows of a table stored in any number type, given in `dtype`; `scale` as in `CastLinear`."""

    def __init__(self, weight: Tensor, scale: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.register_buffer("scale", None if scale is None else _column(scale))
        self.dtype = dtype

    def forward(self, ids: Tensor) -> Tensor:
        """Whole numbers (..) -> (.., width)."""
        rows = self.weight[ids].to(self.dtype)
        if self.scale is None:
            return rows
        return rows * (self.scale if self.scale.dim() == 0 else self.scale[ids]).to(self.dtype)


def narrow_linears(model: nn.Module, types: Mapping[str, torch.dtype]) -> None:
    """Let linear layers on the meta device store their weights in the types of `types` (by the layer's name)."""
    for name, dtype in types.items():
        linear = model.get_submodule(name)
        weight = linear.weight.to(dtype)
        scale = torch.empty(weight.shape[0], 1, device="meta") if dtype == FLOAT8 else None
        parent, _, leaf = name.rpartition(".")
        # a number for a child of nn.Sequential too
        model.get_submodule(parent).register_module(leaf, CastLinear(weight, scale, linear.bias))


def to_float8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A weight (out, in) as float8 and its scale (out, 1) float32: each row fills the type's range."""
    wide = weight.float()
    scale = wide.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / LARGEST_FLOAT8
    return (wide / scale).clamp_(-LARGEST_FLOAT8, LARGEST_FLOAT8).to(FLOAT8), scale


def _column(scale: Tensor) -> Tensor:
    scale = scale.detach().float()
    return scale.reshape(()) if scale.numel() == 1 else scale.reshape(-1, 1)
