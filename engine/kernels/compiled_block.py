"""Blocks computed by what torch.compile makes of them; kept only where that is measured to be faster.

What lies before and after the attention is compiled, the memory between them is asked as ever. One compilation serves
all layers; it takes about a minute and, on a processor, a C++ compiler.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.attention import AttentionMemory, scaled_dot_product
from engine.model.block import Block, TextKeysValues, Time6
from engine.model.transformer import CausalWanTransformer

REPEATS = 5
CLEARLY = 0.95  # of the plain time: what is not faster by more than the measurement errs is not worth a minute
NOT_FASTER = "compile: measured, and not faster here than the plain path, which plays"

Before = Callable[[Block, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
After = Callable[[Block, Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Halves:
    """The two parts of a block around its attention."""

    before: Before
    after: After


class HalvedBlock:
    """A block in two parts; fulfils `BlockForward`."""

    def __init__(self, block: Block, halves: Halves) -> None:
        self._block = block
        self._halves = halves

    def __call__(self, x: Tensor, time6: Time6, text: TextKeysValues, memory: AttentionMemory) -> Tensor:
        """As `Block.forward`."""
        rows = self._block.fold(time6).rows
        attended = memory.attend(self._block.layer, *self._halves.before(self._block, x, rows))
        return self._halves.after(self._block, x, attended, rows, *text)

    def store(self, x: Tensor, time6: Time6, memory: AttentionMemory) -> None:
        """As `Block.store`."""
        _, keys, values = self._halves.before(self._block, x, self._block.fold(time6).rows)
        memory.store(self._block.layer, keys, values)


def before_attention(block: Block, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (B, L, N, D) of x (B, F, P, E) under modulations (B, F or 1, 6, E)."""
    shift, scale = rows[:, :, 0, None], rows[:, :, 1, None]
    y = (block.norm1(x) * (1 + scale) + shift).flatten(1, 2)
    return block.self_attn.queries(y), *block.self_attn.keys_values(y)


def after_attention(
    block: Block, x: Tensor, attended: Tensor, rows: Tensor, prompt_keys: Tensor, prompt_values: Tensor
) -> Tensor:
    """What the block makes of its attention's answer (B, L, N, D)."""
    _, _, gate_sa, shift_ff, scale_ff, gate_ff = (row[:, :, None] for row in rows.unbind(dim=2))
    x = x + block.self_attn.combine(attended).view_as(x) * gate_sa
    queries = block.cross_attn.queries(block.norm3(x).flatten(1, 2))
    x = x + block.cross_attn.combine(scaled_dot_product(queries, prompt_keys, prompt_values)).view_as(x)
    return x + block.ffn(block.norm2(x) * (1 + scale_ff) + shift_ff) * gate_ff


PLAIN = Halves(before_attention, after_attention)


@torch.inference_mode()
def compile_blocks(model: CausalWanTransformer, tokens: int) -> str:
    """Compile the blocks of a model for chunks of its own size, `tokens` a latent frame; returns why not, or nothing.

    Takes about a minute. Blocks that are computed otherwise already stay so.
    """
    if any(block.fused is not None for block in model.blocks):
        return "compile: the fused kernels compute the blocks already"
    compiled = Halves(torch.compile(before_attention, dynamic=False), torch.compile(after_attention, dynamic=False))
    try:
        is_faster = _seconds(model, compiled, tokens) < CLEARLY * _seconds(model, PLAIN, tokens)
    except RuntimeError as error:  # torch._dynamo's: no compiler, or one that fails
        reason = str(error).strip().partition("\n")[0]
        return f"compile: it cannot be done here ({reason})"
    if not is_faster:
        return NOT_FASTER
    for block in model.blocks:
        block.fused = HalvedBlock(block, compiled)
    return ""


def _seconds(model: CausalWanTransformer, halves: Halves, tokens: int) -> float:
    """Of both halves of the first block, the best of a few."""
    config, block = model.config, model.blocks[0]
    weight = model.patch_embedding.weight
    like = {"device": weight.device, "dtype": weight.dtype}
    x = torch.randn(1, config.chunk_frames, tokens, config.dim, **like)
    rows = torch.randn(1, config.chunk_frames, 6, config.dim, **like) * 0.1
    heads = (config.num_heads, config.head_dim)
    text = [torch.randn(1, config.text_len, *heads, **like) for _ in range(2)]
    least_s = math.inf
    for number in range(REPEATS + 2):  # the first ones compile and find memory
        _synchronise(weight.device)
        began_s = time.perf_counter()
        q, _, _ = halves.before(block, x, rows)
        halves.after(block, x, q, rows, *text)
        _synchronise(weight.device)
        if number >= 2:
            least_s = min(least_s, time.perf_counter() - began_s)
    return least_s


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
