"""Attention of one layer: projections, RMS norms, softmax. Which keys are seen is decided by the memory it is given."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from engine.attention.cpu_products import PRODUCTS, attend_by_products
from engine.attention.kernels import plain
from engine.attention.table import TABLE
from engine.model.rope import rotate


class AttentionMemory(Protocol):
    """Decides what queries may see. One object serves all layers of a forward pass."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Place k, v (B, L, N, D; k before rotation) and answer q (B, L, N, D) with the same shape."""
        ...

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Place k, v without answering anything: the last layer of a clean pass."""
        ...


class Slots(Protocol):
    """Where one layer's keys and values of the current chunk belong; views into a memory."""

    keys: Tensor | None  # (B, L, N, D) before rotation; None where they are not kept
    rotated: Tensor  # (B, L, N, D), possibly float8
    values: Tensor  # (B, L, N, D), possibly float8
    table: Tensor  # (L, D / 2) complex, by which keys and queries turn


@runtime_checkable
class SlottedMemory(Protocol):
    """A memory that lets a kernel write its slots."""

    def current_slots(self, layer: int) -> Slots:
        """Where the current chunk belongs."""
        ...

    def answer(self, layer: int, rotated_q: Tensor) -> Tensor:
        """Answer q (B, L, N, D), rotated already, once the slots are written."""
        ...


def scaled_dot_product(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt(D)) v for q (B, L, N, D), k and v (B, S, N, D); returns (B, L, N, D).

    On CUDA by the kernel that was measured to be fastest; with a mask, for training and mostly on a CPU by PyTorch's
    choice.
    """
    if mask is None and q.is_cuda and not q.requires_grad:
        return TABLE.kernel(q, k).attend(q, k, v)
    if mask is None and PRODUCTS.suits(q, k) and not (q.requires_grad or k.requires_grad):
        return attend_by_products(q, k, v)
    return plain(q, k, v, mask)


class RmsNorm(nn.Module):
    """x / rms(x) * weight over the full width E, before the head split."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, E) -> (B, L, E). Statistics in float32, cast back, then scaled: the order is part of the model."""
        x32 = x.float()
        scale = torch.rsqrt(x32.pow(2).mean(dim=-1, keepdim=True) + self.eps)
        return (x32 * scale).to(x.dtype) * self.weight


class Attention(nn.Module):
    """The four projections and two norms shared by self- and cross-attention. Key names are Wan's."""

    def __init__(self, dim: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.o = nn.Linear(dim, dim)
        self.norm_q = RmsNorm(dim, eps)
        self.norm_k = RmsNorm(dim, eps)

    def queries(self, x: Tensor) -> Tensor:
        """(B, L, E) -> (B, L, N, D), normalised, not rotated."""
        return self._heads(self.norm_q(self.q(x)))

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S, E) -> keys (normalised, not rotated) and values, each (B, S, N, D)."""
        return self._heads(self.norm_k(self.k(x))), self._heads(self.v(x))

    def combine(self, heads: Tensor) -> Tensor:
        """(B, L, N, D) -> (B, L, E) through the output projection."""
        return self.o(heads.flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1))


class FullAttention:
    """Every token sees every token it may, nothing is kept: the oracle of the cache, and the teacher's attention.

    `table` (L, D / 2) rotates queries and keys; `mask` (L, L) bool, True = may see; None = all.
    """

    def __init__(self, table: Tensor, mask: Tensor | None = None) -> None:
        self._table = table
        self._mask = mask

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Answer q over exactly the k, v given."""
        return scaled_dot_product(rotate(q, self._table), rotate(k, self._table), v, self._mask)

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Keep nothing."""
