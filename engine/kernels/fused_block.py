"""One transformer block by fused kernels: the same sums as `Block.forward`, in fewer passes over memory.

Writes keys straight into the slots of a memory that has some. Never used where gradients are wanted.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.kernels.plain import Kernels
from engine.kernels.shaping import After, Rows8
from engine.model.attention import Attention, AttentionMemory, Slots, SlottedMemory, scaled_dot_product
from engine.model.block import Block, TextKeysValues, Time6
from engine.model.transformer import CausalWanTransformer
from engine.quantised.linears import Float8Linear, QuantisedLinear, multiply

_SHIFT_SELF, _SCALE_SELF, _GATE_SELF, _SHIFT_FFN, _SCALE_FFN, _GATE_FFN = range(6)  # rows of the modulations


class JoinedProjections:
    """Queries, keys and values as one product: the three weights become views of one. LoRAs change them in place."""

    def __init__(self, attention: Attention) -> None:
        """Join what can be joined, in place: three plain layers, or three quantised ones of a kind."""
        layers = (attention.q, attention.k, attention.v)
        self._layers = layers
        kinds = {_takes(layer) for layer in layers}
        self.takes = kinds.pop() if len(kinds) == 1 else ""  # what its input may come as
        self._weight, self._bias, self._narrow = None, None, None
        if all(type(layer) is nn.Linear for layer in layers):
            self._weight = _join([layer.weight for layer in layers])
        elif all(isinstance(layer, QuantisedLinear) for layer in layers):
            stored, scale = (torch.cat([layer.get_buffer(name) for layer in layers]) for name in ("stored", "scale"))
            for layer, part, part_scale in zip(layers, stored.chunk(3), scale.chunk(3), strict=True):
                layer.stored, layer.scale = part, part_scale
            self._narrow = Rows8(stored, scale)
        if self._weight is not None or self._narrow is not None:
            self._bias = _join([layer.bias for layer in layers])

    def __call__(self, y: Tensor | Rows8, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, E) -> three of (B, L, E), possibly side by side in one piece of memory."""
        if self._weight is not None:
            return functional.linear(y, self._weight, self._bias).chunk(3, dim=-1)
        if self._narrow is not None and isinstance(y, Rows8):
            return multiply(y, self._narrow, self._bias, dtype).chunk(3, dim=-1)
        return tuple(_apply(layer, y, dtype) for layer in self._layers)


class FusedBlock:
    """Computes a block. Holds its modules, not copies: weights that are changed in place are heard at once."""

    def __init__(self, block: Block, kernels: Kernels) -> None:
        self._block = block
        self._kernels = kernels
        self._project = JoinedProjections(block.self_attn)

    def __call__(self, x: Tensor, time6: Time6, text: TextKeysValues, memory: AttentionMemory) -> Tensor:
        """x (B, F, P, E) -> (B, F, P, E), as `Block.forward`."""
        block, kernels, dtype = self._block, self._kernels, x.dtype
        folded = block.fold(time6)
        mine, other = block.self_attn, block.cross_attn
        attended = self._attend(self._keys_values(x, folded), memory)
        o = self._linear(mine.o, attended.flatten(2))
        after = After(block.norm3.weight, block.norm3.bias)
        gate = (folded, _GATE_SELF)
        x, y = kernels.add_norm(x, o.view_as(x), gate, block.norm3.eps, after, _takes(other.q))
        q = _apply(other.q, _tokens(y), dtype)
        queries = q.new_empty(*q.shape[:2], other.num_heads, q.shape[2] // other.num_heads)
        kernels.norm_rotate(q, other.norm_q.weight, other.norm_q.eps, None, queries)
        c = self._linear(other.o, scaled_dot_product(queries, *text).flatten(2))
        after = After(modulations=folded, shift=_SHIFT_FFN, scale=_SCALE_FFN)
        x, y = kernels.add_norm(x, c.view_as(x), None, block.norm2.eps, after, _takes(block.ffn[0]))
        hidden = kernels.gelu(_apply(block.ffn[0], y, dtype), _takes(block.ffn[2]))
        return kernels.add(x, _apply(block.ffn[2], hidden, dtype), (folded, _GATE_FFN))

    def store(self, x: Tensor, time6: Time6, memory: AttentionMemory) -> None:
        """Write this layer's keys and values and stop, as `Block.store`."""
        _, k, v = self._keys_values(x, self._block.fold(time6))
        if _has_slots(type(memory)):
            self._write(k, v, memory)
        else:
            memory.store(self._block.layer, self._normed(k, self._block.self_attn.norm_k), self._heads(v))

    def _keys_values(self, x: Tensor, folded: Time6) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, L, E) as projected: not normed, not rotated."""
        after = After(modulations=folded, shift=_SHIFT_SELF, scale=_SCALE_SELF)
        y = self._kernels.norm(x, self._block.norm1.eps, after, self._project.takes)
        return self._project(_tokens(y), x.dtype)

    def _attend(self, projected: tuple[Tensor, Tensor, Tensor], memory: AttentionMemory) -> Tensor:
        (q, k, v), attention = projected, self._block.self_attn
        if not _has_slots(type(memory)):
            keys = self._normed(k, attention.norm_k)
            return memory.attend(self._block.layer, self._normed(q, attention.norm_q), keys, self._heads(v))
        slots = self._write(k, v, memory)
        queries = self._normed(q, attention.norm_q, slots.table, slots.rotated.dtype)  # as the keys they meet
        return memory.answer(self._block.layer, queries)

    def _write(self, k: Tensor, v: Tensor, memory: SlottedMemory) -> Slots:
        """Put keys and values into their slots."""
        slots = memory.current_slots(self._block.layer)
        norm = self._block.self_attn.norm_k
        self._kernels.norm_rotate(k, norm.weight, norm.eps, slots.table, slots.rotated, slots.keys)
        slots.values.copy_(self._heads(v))
        return slots

    def _normed(
        self, x: Tensor, norm: nn.Module, table: Tensor | None = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        heads = torch.empty_like(self._heads(x), dtype=dtype or x.dtype, memory_format=torch.contiguous_format)
        self._kernels.norm_rotate(x, norm.weight, norm.eps, table, heads)
        return heads

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self._block.self_attn.num_heads, -1))

    def _linear(self, layer: nn.Module, x: Tensor) -> Tensor:
        """A layer whose input no kernel makes: narrowed here where the layer wants it."""
        kind = _takes(layer)
        return _apply(layer, self._kernels.rows8(x, kind) if kind else x, x.dtype)


def fuse(model: CausalWanTransformer, kernels: Kernels) -> None:
    """Let every block of a model be computed by these kernels, in place. Weights must be where they stay."""
    for block in (*model.blocks, *model.vace_blocks):
        block.fused = FusedBlock(block, kernels)


@functools.cache  # asked in every layer of every pass
def _has_slots(kind: type) -> bool:
    return issubclass(kind, SlottedMemory)


def _apply(layer: nn.Module, x: Tensor | Rows8, dtype: torch.dtype) -> Tensor:
    return layer(x, dtype) if isinstance(x, Rows8) else layer(x)


def _takes(layer: nn.Module) -> str:
    """The narrow numbers a layer multiplies: "fp8", "int8", or none."""
    if isinstance(layer, Float8Linear):
        return "fp8"
    return layer.kind if isinstance(layer, QuantisedLinear) else ""


def _tokens(y: Tensor | Rows8) -> Tensor | Rows8:
    """(B, F, P, E) -> (B, L, E)."""
    if isinstance(y, Rows8):
        return Rows8(y.values.flatten(1, 2), y.scale.flatten(1, 2))
    return y.flatten(1, 2)


def _join(parameters: list[nn.Parameter]) -> Tensor:
    """The parameters below each other in one piece, of which each is a view from now on."""
    joined = torch.cat([parameter.data for parameter in parameters])
    for parameter, part in zip(parameters, joined.split([len(p) for p in parameters]), strict=True):
        parameter.data = part
    return joined
