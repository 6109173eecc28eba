"""Channel norm, SiLU and the past before it in one kernel of Triton: straight into what a causal convolution reads.

Imported only where Triton is. Tensors have their channels last in memory: a pixel is a row.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from engine.vae.wan_blocks import TIME_TAPS, ChannelNorm

NUMBERS_PER_PROGRAM = 4096
SHORTEST = 1e-12  # a pixel's length is never taken for less, as in torch's normalize


@triton.jit
def _norm_silu_kernel(
    x,
    gamma,
    out,
    rows,
    batch_rows,
    past_rows,
    channels,
    length,
    smallest: tl.constexpr,
    at_once: tl.constexpr,
    width: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64) * at_once + tl.arange(0, at_once)
    columns = tl.arange(0, width)
    inside = (row[:, None] < rows) & (columns[None, :] < channels)
    value = tl.load(x + row[:, None] * channels + columns[None, :], mask=inside, other=0.0).to(tl.float32)
    gain = tl.load(gamma + columns, mask=columns < channels, other=0.0).to(tl.float32)
    size = tl.maximum(tl.sqrt(tl.sum(value * value, 1)), smallest)
    value = value / size[:, None] * length * gain[None, :]
    value = value / (1.0 + tl.exp(-value))
    target = row + (row // batch_rows + 1) * past_rows  # each of a batch begins with its past
    tl.store(out + target[:, None] * channels + columns[None, :], value.to(out.dtype.element_ty), mask=inside)


def norm_silu_after(past: Tensor, x: Tensor, norm: ChannelNorm) -> Tensor:
    """[past, silu(norm(x))] along time, (B, C, T + 2, H, W), channels last; past (B, C, 2, H, W), x (B, C, T, H, W).

    Sums are taken in float32 and rounded once.
    """
    batch, channels, frames, height, width = x.shape
    joined = torch.empty(
        (batch, channels, frames + TIME_TAPS - 1, height, width),
        dtype=x.dtype,
        device=x.device,
        memory_format=torch.channels_last_3d,
    )
    joined[:, :, : TIME_TAPS - 1].copy_(past)
    x = x.contiguous(memory_format=torch.channels_last_3d)
    rows, pixels = batch * frames * height * width, height * width
    block = triton.next_power_of_2(channels)
    at_once = max(1, NUMBERS_PER_PROGRAM // block)
    _norm_silu_kernel[(triton.cdiv(rows, at_once),)](
        x,
        norm.gamma,
        joined,
        rows,
        frames * pixels,
        (TIME_TAPS - 1) * pixels,
        channels,
        channels**0.5,
        smallest=SHORTEST,
        at_once=at_once,
        width=block,
    )
    return joined
