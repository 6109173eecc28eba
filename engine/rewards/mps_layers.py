"""The layers of MPS on top of CLIP: picture tokens look at text tokens, then at each other. Key names are our own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

_IN_CROSS = {"to_q.": "q.", "to_kv.": "kv.", "to_out.": "out.", "ff.0.": "inner.", "ff.2.": "outer."}
_IN_SELF = {"fused_attn_ff_proj.": "fused.", "attn_out.": "out.", "ff_out.1.": "outer."}
_NORM = {"norm.gamma": "norm.weight", "norm.weight": "norm.weight"}
_NO_WEIGHTS = ("norm.beta", "norm.bias", "rotary_emb.inv_freq")  # zeros, and numbers that follow from the width
_ROTATION_BASE = 10000.0


def _gated(x: Tensor) -> Tensor:
    value, gate = x.chunk(2, dim=-1)
    return functional.silu(gate) * value


class CrossLayer(nn.Module):
    """Attention to the text, many queries on one key and value head, and a feed-forward beside it."""

    def __init__(self, dim: int, heads: int, head_dim: int, widening: int) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, head_dim
        self.norm = nn.LayerNorm(dim, bias=False)
        self.q = nn.Linear(dim, heads * head_dim, bias=False)
        self.kv = nn.Linear(dim, 2 * head_dim, bias=False)
        self.out = nn.Linear(heads * head_dim, dim, bias=False)
        self.inner = nn.Linear(dim, 2 * widening * dim, bias=False)
        self.outer = nn.Linear(widening * dim, dim, bias=False)

    def forward(self, x: Tensor, text: Tensor, gate: Tensor) -> Tensor:
        """x (B, P, E), text (B, L, E), gate (B, L) with True for tokens that count -> x and what it found."""
        y = self.norm(x)
        q = self.q(y).unflatten(-1, (self.heads, self.head_dim)).transpose(1, 2)
        k, v = self.kv(text)[:, None].expand(-1, self.heads, -1, -1).chunk(2, dim=-1)
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=gate[:, None, None])
        return x + self.out(found.transpose(1, 2).flatten(2)) + self.outer(_gated(self.inner(y)))


class SelfLayer(nn.Module):
    """Attention among the picture's tokens by their order, one key and value head, and a feed-forward beside it."""

    def __init__(self, dim: int, heads: int, head_dim: int, widening: int) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, head_dim
        self._parts = (heads * head_dim, head_dim, head_dim, 2 * widening * dim)
        self.norm = nn.LayerNorm(dim, bias=False)
        self.fused = nn.Linear(dim, sum(self._parts), bias=False)
        self.out = nn.Linear(heads * head_dim, dim, bias=False)
        self.outer = nn.Linear(widening * dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, P, E) -> x and what its tokens found in each other."""
        q, k, v, wide = self.fused(self.norm(x)).split(self._parts, dim=-1)
        q = _rotated(q.unflatten(-1, (self.heads, self.head_dim)).transpose(1, 2))
        k, v = (part[:, None].expand(-1, self.heads, -1, -1) for part in (_rotated(k), v))
        found = functional.scaled_dot_product_attention(q, k, v)
        return x + self.out(found.transpose(1, 2).flatten(2)) + self.outer(_gated(wide))


def _rotated(x: Tensor) -> Tensor:
    """Rotary positions (arXiv:2104.09864), halves paired: (..., P, D) -> the same."""
    half = x.shape[-1] // 2
    rates = _ROTATION_BASE ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * rates
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


class CrossTowers(nn.Module):
    """Pairs of both layers."""

    def __init__(self, dim: int, layers: int = 4, heads: int = 16, head_dim: int = 64, widening: int = 4) -> None:
        super().__init__()
        sizes = (dim, heads, head_dim, widening)
        self.cross = nn.ModuleList(CrossLayer(*sizes) for _ in range(layers))
        self.own = nn.ModuleList(SelfLayer(*sizes) for _ in range(layers))

    def forward(self, picture: Tensor, text: Tensor, gate: Tensor) -> Tensor:
        """Picture tokens (B, P, E), text tokens (B, L, E), which of those count (B, L) -> (B, P, E)."""
        for cross, own in zip(self.cross, self.own, strict=True):
            picture = own(cross(picture, text, gate))
        return picture


def from_published(name: str, tensor: Tensor) -> Mapping[str, Tensor]:
    """One tensor of the published `cross_model.layers.N.M.fn.*` under our names; {} for what is no weight."""
    if name.endswith(_NO_WEIGHTS):
        return {}
    number, which, _, rest = name.removeprefix("cross_model.layers.").split(".", 3)
    kinds = {"0": ("cross", _IN_CROSS), "1": ("own", _IN_SELF)}
    ours, parts = kinds[which]
    for theirs, part in (*parts.items(), *_NORM.items()):
        if rest.startswith(theirs):
            return {f"cross_towers.{ours}.{number}.{part}{rest.removeprefix(theirs)}": tensor}
    return {name: tensor}
