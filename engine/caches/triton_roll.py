"""What leaves the window leaves all layers in one kernel of Triton: into the sink, the rest a slot down, rotated.

One program per token of a slot takes that token in every slot of one layer, so no program waits for another. Imported
only where Triton is.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from engine.caches.slot_cache import SlotBuffers
from engine.kernels.triton_rows import _rounded

_KINDS = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2}
_STATIC, _PUBLISHED, _EXACT = 0, 1, 2  # what becomes of the sink
NUMBERS_PER_WARP = 256


@triton.jit
def _rotate_to(rotated, at, even, odd, table, token, pair, inside, pairs_per_head):
    angle = table + (token * pairs_per_head + pair % pairs_per_head) * 2
    cosine = tl.load(angle, mask=inside, other=0.0)
    sine = tl.load(angle + 1, mask=inside, other=0.0)
    tl.store(rotated + at, (even * cosine - odd * sine).to(rotated.dtype.element_ty), mask=inside)
    tl.store(rotated + at + 1, (even * sine + odd * cosine).to(rotated.dtype.element_ty), mask=inside)


@triton.jit
def _fused(
    held, exact, at, leaving, exact_at, keep, take, inside, SINK: tl.constexpr, BEGINS: tl.constexpr, KIND: tl.constexpr
):
    """One of two neighbours of the sink after it took in what leaves, as float32."""
    sink = tl.load(held + at, mask=inside, other=0.0).to(tl.float32)
    gone = tl.load(held + leaving, mask=inside, other=0.0).to(tl.float32)
    if SINK == 2:
        memory = sink
        if not BEGINS:
            memory = tl.load(exact + exact_at, mask=inside, other=0.0)
        sink = memory * keep + gone * take
        tl.store(exact + exact_at, sink, mask=inside)
    else:
        sink = _rounded(sink * keep, KIND) + _rounded(gone * take, KIND)
    sink = _rounded(sink, KIND)
    tl.store(held + at, sink.to(held.dtype.element_ty), mask=inside)
    return sink


@triton.jit
def _roll_kernel(
    keys, rotated, values, exact, table, shares, held_tokens, slot_tokens, leaving_slot, tokens, width, pairs_per_head,
    exact_size, SINK: tl.constexpr, BEGINS: tl.constexpr, KIND: tl.constexpr, MOVES: tl.constexpr, PAIRS: tl.constexpr,
):  # fmt: skip
    token = tl.program_id(0)
    layer = tl.program_id(1).to(tl.int64)
    pair = tl.arange(0, PAIRS)
    inside = pair < width // 2
    row = layer * held_tokens
    at = (row + token) * width + 2 * pair
    if SINK != 0:
        keep, take = tl.load(shares), tl.load(shares + 1)
        leaving = (row + leaving_slot * slot_tokens + token) * width + 2 * pair
        exact_at = (layer * slot_tokens + token) * width + 2 * pair
        even = _fused(keys, exact, at, leaving, exact_at, keep, take, inside, SINK, BEGINS, KIND)
        odd = _fused(keys, exact, at + 1, leaving + 1, exact_at + 1, keep, take, inside, SINK, BEGINS, KIND)
        _rotate_to(rotated, at, even, odd, table, token, pair, inside, pairs_per_head)
        exact_at += exact_size
        _fused(values, exact, at, leaving, exact_at, keep, take, inside, SINK, BEGINS, KIND)
        _fused(values, exact, at + 1, leaving + 1, exact_at + 1, keep, take, inside, SINK, BEGINS, KIND)
    for move in tl.static_range(MOVES):
        target = (move + 1) * slot_tokens + token
        is_held = inside & (target + slot_tokens < tokens)
        at = (row + target) * width + 2 * pair
        source = at + slot_tokens * width
        for part in tl.static_range(2):
            value = tl.load(values + source + part, mask=is_held, other=0.0)
            tl.store(values + at + part, value, mask=is_held)
        even = tl.load(keys + source, mask=is_held, other=0.0)
        odd = tl.load(keys + source + 1, mask=is_held, other=0.0)
        tl.store(keys + at, even, mask=is_held)
        tl.store(keys + at + 1, odd, mask=is_held)
        wide = (even.to(tl.float32), odd.to(tl.float32))
        _rotate_to(rotated, at, wide[0], wide[1], table, target, pair, is_held, pairs_per_head)


def roll_all(buffers: SlotBuffers, tokens: int, slot_tokens: int, mode: str, begins_exact: bool) -> bool:
    """As `SlotCache.roll_layer` on every layer at once, `tokens` being held. False where it cannot: nothing is done."""
    if buffers.table.dtype != torch.complex64 or (mode == "as_released" and tokens % slot_tokens):
        return False
    keys = buffers.keys
    layers, batch, held_tokens, heads, head_dim = keys.shape
    width, slots = heads * head_dim, triton.cdiv(tokens, slot_tokens)
    sink = {"static": _STATIC, "ema_fp32": _EXACT}.get(mode, _PUBLISHED)
    exact = keys if buffers.exact is None else buffers.exact
    pairs = triton.next_power_of_2(width // 2)
    _roll_kernel[(slot_tokens, layers * batch)](
        keys,
        buffers.rotated,
        buffers.values,
        exact,
        torch.view_as_real(buffers.table),
        buffers.shares,
        held_tokens,
        slot_tokens,
        slots - 1 if mode == "as_released" else 1,
        tokens,
        width,
        head_dim // 2,
        layers * batch * slot_tokens * width,
        SINK=sink,
        BEGINS=begins_exact,
        KIND=_KINDS[keys.dtype],
        MOVES=slots - 2,
        PAIRS=pairs,
        num_warps=max(1, min(8, pairs // NUMBERS_PER_WARP)),
    )
    return True
