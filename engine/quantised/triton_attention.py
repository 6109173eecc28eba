"""Attention over float8 keys and values in Triton: blocks of queries walk along the keys, softmax on the way.

Imported only where Triton is. Sums, maxima and exponentials are float32; probabilities are multiplied in float8.
"""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from engine.kernels.triton_rows import to_float8

QUERIES, KEYS = 128, 128  # of a block
WARPS, STAGES = 8, 3


@triton.jit
def _attention_kernel(
    q,
    k,
    v,
    out,
    factor,
    heads,
    queries,
    keys,
    q_batch,
    q_row,
    q_head,
    k_batch,
    k_row,
    k_head,
    v_batch,
    v_row,
    v_head,
    v_column,
    out_batch,
    out_row,
    out_head,
    D: tl.constexpr,
    WIDTH: tl.constexpr,
    QUERIES: tl.constexpr,
    KEYS: tl.constexpr,
):
    """One block of queries of one head over all keys."""
    batch, head = (tl.program_id(1) // heads).to(tl.int64), (tl.program_id(1) % heads).to(tl.int64)
    row = tl.program_id(0) * QUERIES + tl.arange(0, QUERIES)
    column = tl.arange(0, WIDTH)
    is_query = (row < queries)[:, None] & (column < D)[None, :]
    mine = tl.load(
        q + batch * q_batch + head * q_head + row[:, None].to(tl.int64) * q_row + column[None, :],
        mask=is_query,
        other=0.0,
    )
    largest = tl.full((QUERIES,), float("-inf"), tl.float32)
    total = tl.zeros((QUERIES,), tl.float32)
    sums = tl.zeros((QUERIES, WIDTH), tl.float32)
    k += batch * k_batch + head * k_head
    v += batch * v_batch + head * v_head
    for start in range(0, keys, KEYS):
        place = start + tl.arange(0, KEYS)
        is_key = place < keys
        along = place.to(tl.int64)
        key = tl.load(
            k + along[None, :] * k_row + column[:, None],
            mask=is_key[None, :] & (column < D)[:, None],
            other=0.0,
        )
        scores = tl.dot(mine, key) * factor
        scores = tl.where(is_key[None, :], scores, float("-inf"))
        newest = tl.maximum(largest, tl.max(scores, 1))
        # times 256: small shares keep more of their digits in float8; it cancels out at the end
        shares = tl.exp2(scores - newest[:, None] + 8.0)
        fade = tl.exp2(largest - newest)
        total = total * fade + tl.sum(shares, 1)
        value = tl.load(
            v + along[:, None] * v_row + column[None, :] * v_column,
            mask=is_key[:, None] & (column < D)[None, :],
            other=0.0,
        )
        sums = sums * fade[:, None] + tl.dot(to_float8(shares), value)
        largest = newest
    sums = sums / total[:, None]
    target = out + batch * out_batch + head * out_head + row[:, None].to(tl.int64) * out_row + column[None, :]
    tl.store(target, sums.to(out.dtype.element_ty), mask=is_query)


def attend(q: Tensor, k: Tensor, v: Tensor, dtype: torch.dtype) -> Tensor:
    """Attention of float8 q (B, L, N, D) over k, v (B, S, N, D), in `dtype`.

    Hopper's float8 products read both factors along what is summed: v should lie with S innermost.
    """
    batch, queries, heads, width = q.shape
    assert q.stride(3) == k.stride(3) == 1, "a head's numbers must lie in one piece"
    out = torch.empty(q.shape, dtype=dtype, device=q.device)
    _attention_kernel[(triton.cdiv(queries, QUERIES), batch * heads)](
        q,
        k,
        v,
        out,
        width**-0.5 * math.log2(math.e),
        heads,
        queries,
        k.shape[1],
        *q.stride()[:3],
        *k.stride()[:3],
        *v.stride(),
        *out.stride()[:3],
        D=width,
        WIDTH=max(32, triton.next_power_of_2(width)),
        QUERIES=QUERIES,
        KEYS=KEYS,
        num_warps=WARPS,
        num_stages=STAGES,
    )
    return out
