"""Sums of an int8 product to numbers of activations in one pass: times both scales, plus the bias.

Imported only where Triton is.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

COLUMNS = 1024  # of a program
WARPS = 4


@triton.jit
def _widen_kernel(
    sums, scale, weight_scale, bias, out, columns, sums_row, HAS_BIAS: tl.constexpr, COLUMNS: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = column < columns
    value = tl.load(sums + row * sums_row + column, mask=inside, other=0).to(tl.float32)
    value = value * tl.load(scale + row) * tl.load(weight_scale + column, mask=inside, other=0.0)
    if HAS_BIAS:
        value += tl.load(bias + column, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + row * columns + column, value.to(out.dtype.element_ty), mask=inside)


def widen(sums: Tensor, scale: Tensor, weight_scale: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """sums (M, N) int32 * scale (M, 1) * weight_scale (N, 1) + bias (N) -> (M, N) in `dtype`."""
    rows, columns = sums.shape
    out = torch.empty(rows, columns, dtype=dtype, device=sums.device)
    _widen_kernel[(rows, triton.cdiv(columns, COLUMNS))](
        sums,
        scale,
        weight_scale,
        weight_scale if bias is None else bias,
        out,
        columns,
        sums.stride(0),
        HAS_BIAS=bias is not None,
        COLUMNS=COLUMNS,
        num_warps=WARPS,
    )
    return out
