"""One transformer block: modulated self-attention, cross-attention to the prompt, modulated feed-forward."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from engine.kernels.shaping import Folded
from engine.model.attention import Attention, AttentionMemory, scaled_dot_product
from engine.model.config import ModelConfig

TextKeysValues = tuple[Tensor, Tensor]  # keys, values of the prompt for one layer, each (B, text_len, N, D)


Time6 = Tensor | Folded  # a timestep's projection (B, F or 1, 6, E), to which a block adds its own; or that sum


class BlockForward(Protocol):
    """Another way to compute a block, equal to its own."""

    def __call__(self, x: Tensor, time6: Time6, text: TextKeysValues, memory: AttentionMemory) -> Tensor:
        """As `Block.forward`."""
        ...

    def store(self, x: Tensor, time6: Time6, memory: AttentionMemory) -> None:
        """As `Block.store`."""
        ...


class Block(nn.Module):
    """Wan2.1 block. Key names are Wan's: norm1 and norm2 have no parameters, norm3 stands before cross-attention."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        dim, eps = config.dim, config.eps
        self.norm1 = nn.LayerNorm(dim, eps=eps, elementwise_affine=False)
        self.self_attn = Attention(dim, config.num_heads, eps)
        self.norm3 = nn.LayerNorm(dim, eps=eps)
        self.cross_attn = Attention(dim, config.num_heads, eps)
        self.norm2 = nn.LayerNorm(dim, eps=eps, elementwise_affine=False)
        self.ffn = nn.Sequential(
            nn.Linear(dim, config.ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(config.ffn_dim, dim)
        )
        self.modulation = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)
        self.fused: BlockForward | None = None  # what computes this block instead (`engine.kernels`); never in training

    def forward(self, x: Tensor, time6: Time6, text: TextKeysValues, memory: AttentionMemory) -> Tensor:
        """x (B, F, P, E), time6 (B, F or 1, 6, E), text keys and values of this layer -> (B, F, P, E)."""
        if self.fused is not None:
            return self.fused(x, time6, text, memory)
        shift_sa, scale_sa, gate_sa, shift_ff, scale_ff, gate_ff = self._modulations(time6)
        y = (self.norm1(x) * (1 + scale_sa) + shift_sa).flatten(1, 2)  # (B, L, E)
        attended = memory.attend(self.layer, self.self_attn.queries(y), *self.self_attn.keys_values(y))
        x = x + self.self_attn.combine(attended).view_as(x) * gate_sa
        prompt = scaled_dot_product(self.cross_attn.queries(self.norm3(x).flatten(1, 2)), *text)
        x = x + self.cross_attn.combine(prompt).view_as(x)
        y = self.norm2(x) * (1 + scale_ff) + shift_ff
        return x + self.ffn(y) * gate_ff

    def prompt_keys_values(self, context: Tensor) -> TextKeysValues:
        """The prompt (B, text_len, E) as this layer's keys and values."""
        return self.cross_attn.keys_values(context)

    def store(self, x: Tensor, time6: Time6, memory: AttentionMemory) -> None:
        """Write this layer's keys and values and stop: all a clean pass needs of the last block."""
        if self.fused is not None:
            self.fused.store(x, time6, memory)
            return
        shift_sa, scale_sa, *_ = self._modulations(time6)
        memory.store(self.layer, *self.self_attn.keys_values((self.norm1(x) * (1 + scale_sa) + shift_sa).flatten(1, 2)))

    def fold(self, time6: Time6) -> Folded:
        """This layer's modulations of a timestep, its own added."""
        return time6 if isinstance(time6, Folded) else Folded(self.modulation[:, None] + time6)

    def _modulations(self, time6: Time6) -> tuple[Tensor, ...]:
        rows = self.fold(time6).rows  # (B, F or 1, 6, E)
        return tuple(m[:, :, None] for m in rows.unbind(dim=2))  # six of (B, F or 1, 1, E)
