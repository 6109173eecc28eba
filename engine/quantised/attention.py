"""Softmax attention with queries, keys and values in float8 (e4m3), without scales.

Queries and keys are normed, values are of the size of activations: all lie well within the type's range (2^-9 to 448),
and a floating type is no finer for being scaled. What lies outside is cut off.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor

from engine.attention.kernels import Capability, flash3_function, plain
from engine.kernels.shaping import FLOAT8, LARGEST_FLOAT8

Attend8 = Callable[[Tensor, Tensor, Tensor, torch.dtype], Tensor]


def to_float8(x: Tensor) -> Tensor:
    """The nearest numbers of float8; what is beyond its range becomes its largest."""
    return x.clamp(-LARGEST_FLOAT8, LARGEST_FLOAT8).to(FLOAT8)


def attend_float8(q: Tensor, k: Tensor, v: Tensor, dtype: torch.dtype) -> Tensor:
    """Attention of float8 q (B, L, N, D) over k, v (B, S, N, D), in `dtype`; v may lie with S innermost."""
    return float8_kernel(q.device)[1](q, k, v, dtype)


@functools.cache
def float8_kernel(device: torch.device) -> tuple[str, Attend8]:
    """Name and function of the kernel for a device: FlashAttention 3 on Hopper, Triton's, or wide numbers."""
    capability = Capability.of(device)
    if (capability.kind, capability.major) == ("cuda", 9) and (function := flash3_function()) is not None:
        return "flash3", functools.partial(_by_flash3, function)
    if capability.is_at_least(8, 9) and importlib.util.find_spec("triton") is not None:
        from engine.quantised.triton_attention import attend

        return "triton", attend
    return "casting", _by_casting


def _by_flash3(function: Callable[..., object], q: Tensor, k: Tensor, v: Tensor, dtype: torch.dtype) -> Tensor:
    answer = function(q, k, v)
    outcome = answer[0] if isinstance(answer, tuple) else answer
    return outcome.to(dtype)


def _by_casting(q: Tensor, k: Tensor, v: Tensor, dtype: torch.dtype) -> Tensor:
    """The same numbers attended to wide: what a device without float8 does, and a CPU for the numerics."""
    return plain(q.to(dtype), k.to(dtype), v.to(dtype))
