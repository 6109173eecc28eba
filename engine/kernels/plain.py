"""The plain torch form of every fused kernel: runs anywhere, and is what the others are tested by."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from engine.kernels.shaping import FLOAT8, LARGEST_FLOAT8, After, Folded, Rows8, rows8
from engine.model.rope import rotate


class Kernels(Protocol):
    """The elementwise work of a block. Tokens are (B, F, P, E); B * F * P rows of E numbers.

    Sums are taken in float32, outcomes rounded where the plain form rounds them. With `narrow` "fp8" or "int8" the
    outcome is `Rows8`.
    """

    name: str

    def norm(self, x: Tensor, eps: float, after: After, narrow: str = "") -> Tensor | Rows8:
        """Layer norm over E, then `after`."""
        ...

    def add_norm(
        self, x: Tensor, y: Tensor, gate: tuple[Folded, int] | None, eps: float, after: After, narrow: str = ""
    ) -> tuple[Tensor, Tensor | Rows8]:
        """x + y * gate, and the norm of that as `norm`. `gate` is a row of modulations; None = 1."""
        ...

    def add(self, x: Tensor, y: Tensor, gate: tuple[Folded, int] | None) -> Tensor:
        """x + y * gate."""
        ...

    def norm_rotate(
        self, x: Tensor, weight: Tensor, eps: float, table: Tensor | None, out: Tensor, plain: Tensor | None = None
    ) -> None:
        """Norm x (B, L, E) by its root mean square over E, turn it by `table` (L, D / 2), write it to `out`.

        `out` and `plain` (what is not turned) are (B, L, N, D), may be slots of a cache, `out` in float8 too.
        """
        ...

    def gelu(self, x: Tensor, narrow: str = "") -> Tensor | Rows8:
        """GELU by tanh of (.., E)."""
        ...

    def rows8(self, x: Tensor, narrow: str) -> Rows8:
        """Rows (.., E) as they are, narrow."""
        ...


class PlainKernels:
    """The oracle: each as a handful of torch operations."""

    name = "plain"

    def norm(self, x: Tensor, eps: float, after: After, narrow: str = "") -> Tensor | Rows8:
        """Layer norm over E, then `after`."""
        y = functional.layer_norm(x, x.shape[-1:], after.weight, after.bias, eps)
        if after.modulations is not None:
            rows = after.modulations.rows
            y = y * (1 + rows[:, :, after.scale, None]) + rows[:, :, after.shift, None]
        return rows8(y, narrow) if narrow else y

    def add_norm(
        self, x: Tensor, y: Tensor, gate: tuple[Folded, int] | None, eps: float, after: After, narrow: str = ""
    ) -> tuple[Tensor, Tensor | Rows8]:
        """x + y * gate, and the norm of that."""
        total = self.add(x, y, gate)
        return total, self.norm(total, eps, after, narrow)

    def add(self, x: Tensor, y: Tensor, gate: tuple[Folded, int] | None) -> Tensor:
        """x + y * gate."""
        return x + (y if gate is None else y * gate[0].rows[:, :, gate[1], None])

    def norm_rotate(
        self, x: Tensor, weight: Tensor, eps: float, table: Tensor | None, out: Tensor, plain: Tensor | None = None
    ) -> None:
        """Norm by the root mean square, turn, write."""
        x32 = x.float()
        normed = (x32 * torch.rsqrt(x32.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight
        heads = normed.view(out.shape)
        if plain is not None:
            plain.copy_(heads)
        turned = heads if table is None else rotate(heads, table)
        out.copy_(turned.clamp(-LARGEST_FLOAT8, LARGEST_FLOAT8) if out.dtype == FLOAT8 else turned)

    def gelu(self, x: Tensor, narrow: str = "") -> Tensor | Rows8:
        """GELU by tanh."""
        y = functional.gelu(x, approximate="tanh")
        return rows8(y, narrow) if narrow else y

    def rows8(self, x: Tensor, narrow: str) -> Rows8:
        """Rows as they are, narrow."""
        return rows8(x, narrow)


PLAIN = PlainKernels()
