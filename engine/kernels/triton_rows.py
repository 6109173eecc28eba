"""The fused kernels in Triton: a program per row of E numbers, or a few short ones.

Sums are taken in float32; what the plain form rounds on its way is rounded here too, so that both agree in bfloat16.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _rounded(x, KIND: tl.constexpr):
    """Round float32 to the nearest number of another type, ties to even, and keep it as float32.

    By its bits for bfloat16: Triton's interpreter cuts them off instead.
    """
    if KIND == 1:
        bits = x.to(tl.uint32, bitcast=True)
        bits += 0x7FFF + ((bits >> 16) & 1)
        # what is no number must stay none: its bits may overflow
        x = tl.where(x == x, (bits & 0xFFFF0000).to(tl.float32, bitcast=True), x)
    elif KIND == 2:
        x = x.to(tl.float16).to(tl.float32)
    return x


@triton.jit
def to_float8(x):
    """Round float32 to the nearest number of e4m3, ties to even: the interpreter's own cast is off by up to a half."""
    x = tl.minimum(tl.maximum(x, -448.0), 448.0)
    bits = x.to(tl.uint32, bitcast=True)
    bits += 0x7FFFF + ((bits >> 20) & 1)
    normal = (bits & 0xFFF00000).to(tl.float32, bitcast=True)
    # below 2^-6 numbers lie 2^-9 apart: adding 1.5 * 2^14 leaves no finer digits
    small = (x + 24576.0) - 24576.0
    return tl.where(tl.abs(x) < 0.015625, small, normal).to(tl.float8e4nv)


@triton.jit
def _store_narrow(y, out, scales, row, at, inside, is_row, SMALLEST: tl.constexpr, NARROW: tl.constexpr):
    """Write rows as float8 (1) or int8 (2), and their scales."""
    peak = tl.maximum(tl.max(tl.abs(y), 1), SMALLEST)[:, None]
    if NARROW == 1:
        scale = peak / 448.0
        numbers = to_float8(y / scale)
    else:
        scale = peak / 127.0
        numbers = ((y / scale + 12582912.0) - 12582912.0).to(tl.int8)  # 1.5 * 2^23: no digits are left behind the point
    tl.store(scales + row, scale, mask=is_row)
    tl.store(out + at, numbers, mask=inside)


@triton.jit
def norm_kernel(
    x,
    y,
    total,
    out,
    scales,
    weight,
    bias,
    modulations,
    rows,
    E,
    eps,
    rows_per_modulation,
    gate_row,
    shift_row,
    scale_row,
    modulation_rows,
    HAS_Y: tl.constexpr,
    HAS_GATE: tl.constexpr,
    HAS_NORM: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    HAS_MODULATIONS: tl.constexpr,
    NARROW: tl.constexpr,
    SMALLEST: tl.constexpr,
    KIND: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """total = x + y * gate; out = norm(total) as wished. Each part may be missing."""
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)[:, None]
    columns = tl.arange(0, BLOCK)[None, :]
    is_row, is_column = row < rows, columns < E
    inside = is_row & is_column
    at = row * E + columns
    own = modulations + (row // rows_per_modulation) * modulation_rows * E + columns
    h = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    if HAS_Y:
        added = tl.load(y + at, mask=inside, other=0.0).to(tl.float32)
        if HAS_GATE:
            added = added * tl.load(own + gate_row * E, mask=inside, other=0.0).to(tl.float32)
            if KIND:
                added = _rounded(added, KIND)
        h = h + added
        if KIND:
            h = _rounded(h, KIND)
        tl.store(total + at, h.to(total.dtype.element_ty), mask=inside)
    if HAS_NORM:
        mean = (tl.sum(h, 1) / E)[:, None]
        centred = tl.where(inside, h - mean, 0.0)
        n = centred * (1.0 / tl.sqrt(tl.sum(centred * centred, 1) / E + eps))[:, None]
        if HAS_WEIGHT:
            n = n * tl.load(weight + columns, mask=is_column, other=0.0).to(tl.float32)
            n = n + tl.load(bias + columns, mask=is_column, other=0.0).to(tl.float32)
        if KIND:
            n = _rounded(n, KIND)
        if HAS_MODULATIONS:
            factor = 1.0 + tl.load(own + scale_row * E, mask=inside, other=0.0).to(tl.float32)
            shift = tl.load(own + shift_row * E, mask=inside, other=0.0).to(tl.float32)
            if KIND:
                n = _rounded(_rounded(n * _rounded(factor, KIND), KIND) + shift, KIND)
            else:
                n = n * factor + shift
        n = tl.where(inside, n, 0.0)
        if NARROW:
            _store_narrow(n, out, scales, row, at, inside, is_row, SMALLEST, NARROW)
        else:
            tl.store(out + at, n.to(out.dtype.element_ty), mask=inside)


@triton.jit
def norm_rotate_kernel(
    x,
    weight,
    table,
    out,
    plain,
    rows,
    E,
    eps,
    pairs,
    x_batch,
    x_row,
    out_batch,
    out_row,
    plain_batch,
    plain_row,
    HAS_TABLE: tl.constexpr,
    HAS_PLAIN: tl.constexpr,
    FLOAT8_OUT: tl.constexpr,
    KIND: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Rows of keys or queries: root mean square over all heads, weight, rotation by their slot, to their place."""
    token = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)[:, None]
    batch = tl.program_id(1).to(tl.int64)
    columns = tl.arange(0, BLOCK)[None, :]
    is_column = columns < E
    inside = (token < rows) & is_column
    h = tl.load(x + batch * x_batch + token * x_row + columns, mask=inside, other=0.0).to(tl.float32)
    h = h * (1.0 / tl.sqrt(tl.sum(h * h, 1) / E + eps))[:, None]
    if KIND:
        h = _rounded(h, KIND)
    h = h * tl.load(weight + columns, mask=is_column, other=0.0).to(tl.float32)
    if KIND:
        h = _rounded(h, KIND)
    if HAS_PLAIN:
        place = plain + batch * plain_batch + token * plain_row + columns
        tl.store(place, h.to(plain.dtype.element_ty), mask=inside)
    if HAS_TABLE:
        pair = tl.arange(0, BLOCK // 2)[None, :]
        turn = table + (token * pairs + pair % pairs) * 2
        is_pair = (token < rows) & (pair * 2 < E)
        cosine = tl.load(turn, mask=is_pair, other=0.0)
        sine = tl.load(turn + 1, mask=is_pair, other=0.0)
        even, odd = tl.split(tl.reshape(h, (ROWS, BLOCK // 2, 2)))
        h = tl.interleave(even * cosine - odd * sine, even * sine + odd * cosine)
        if KIND:
            h = _rounded(h, KIND)
    place = out + batch * out_batch + token * out_row + columns
    if FLOAT8_OUT:
        tl.store(place, to_float8(h), mask=inside)
    else:
        tl.store(place, h.to(out.dtype.element_ty), mask=inside)


@triton.jit
def gelu_kernel(
    x,
    out,
    scales,
    rows,
    E,
    HAS_GELU: tl.constexpr,
    NARROW: tl.constexpr,
    SMALLEST: tl.constexpr,
    KIND: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Rows through GELU (by tanh) or as they are, to their own type or narrow."""
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)[:, None]
    columns = tl.arange(0, BLOCK)[None, :]
    is_row = row < rows
    inside = is_row & (columns < E)
    at = row * E + columns
    h = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    if HAS_GELU:
        inner = tl.minimum(0.7978845608028654 * (h + 0.044715 * h * h * h), 40.0)  # sqrt(2 / pi)
        # tanh by exp, which has no branches: 1 - 2 / (1 + e^2x); past 40 it is 1
        h = 0.5 * h * (2.0 - 2.0 / (1.0 + tl.exp(2.0 * inner)))
        if KIND:
            h = _rounded(h, KIND)
    if NARROW:
        _store_narrow(h, out, scales, row, at, inside, is_row, SMALLEST, NARROW)
    else:
        tl.store(out + at, h.to(out.dtype.element_ty), mask=inside)
