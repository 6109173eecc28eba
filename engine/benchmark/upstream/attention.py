"""Which attention the reference runs with: what it would pick here, or the fastest there is. Tells what it did."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from engine.benchmark.clocks import median_ms
from engine.benchmark.upstream.checkout import Checkout

Kernel = Callable[[Tensor, Tensor, Tensor, float | None], Tensor]
Shape = tuple[int, int, int, int]  # queries, keys, heads, channels of a head


def choose_as_shipped(checkout: Checkout) -> str:
    """Let it take what it takes by itself; without flash-attn, torch's flash kernels, which are FlashAttention 2's.

    It asserts flash-attn for its cross-attention, so without the package it would not run at all.
    """
    attention = checkout.attention
    if attention.FLASH_ATTN_3_AVAILABLE or attention.FLASH_ATTN_2_AVAILABLE:
        return f"flash-attn as installed, FlashAttention {3 if attention.FLASH_ATTN_3_AVAILABLE else 2}"
    _install_shim(attention, "flash")
    return "flash-attn is absent: a shim forwards to torch's flash kernels (FlashAttention 2)"


def choose_best(checkout: Checkout, shape: Shape, device: torch.device, dtype: torch.dtype) -> str:
    """Time every attention there is at the shape of a steady chunk, install the fastest, and say which it was."""
    if device.type != "cuda":
        _on_cpu(checkout)
        return "torch's own attention, on the CPU"
    ways = _ways(checkout)
    queries, keys, heads, width = shape
    q, k, v = (torch.randn(1, length, heads, width, device=device, dtype=dtype) for length in (queries, keys, keys))
    times = {}
    for name, install in ways.items():
        install()
        try:
            times[name] = median_ms(device, lambda: checkout.attention.attention(q, k, v))
        except (RuntimeError, ImportError):  # this kernel cannot do the shape, or not on this GPU
            times[name] = float("inf")
    best = min(times, key=lambda name: times[name])
    ways[best]()
    measured = ", ".join(f"{name} {taken:.2f} ms" for name, taken in times.items())
    return f"{best} (measured at {queries} x {keys}: {measured})"


def _ways(checkout: Checkout) -> dict[str, Callable[[], None]]:
    attention = checkout.attention
    ways: dict[str, Callable[[], None]] = {
        f"torch {name}": functools.partial(_install_shim, attention, name) for name in KERNELS
    }

    def package_2() -> None:
        attention.FLASH_ATTN_3_AVAILABLE, attention.FLASH_ATTN_2_AVAILABLE = False, True
        attention.flash_attn = importlib.import_module("flash_attn")

    def package_3() -> None:
        attention.FLASH_ATTN_3_AVAILABLE = True
        attention.flash_attn_interface = importlib.import_module("flash_attn_interface")

    if importlib.util.find_spec("flash_attn") is not None:
        ways["FlashAttention 2"] = package_2
    if importlib.util.find_spec("flash_attn_interface") is not None:
        ways["FlashAttention 3"] = package_3  # it asks the GPU's name for it, which leaves out the H200
    return ways


def _install_shim(attention: ModuleType, kernel: str) -> None:
    """Only what it calls flash-attn for goes through the kernel: its decoder's own attention stays torch's choice."""
    attention.FLASH_ATTN_3_AVAILABLE, attention.FLASH_ATTN_2_AVAILABLE = False, True
    varlen = functools.partial(flash_attn_varlen, KERNELS[kernel])
    attention.flash_attn = SimpleNamespace(flash_attn_varlen_func=varlen)


def _flash(q: Tensor, k: Tensor, v: Tensor, scale: float | None) -> Tensor:
    return torch.ops.aten._scaled_dot_product_flash_attention(q, k, v, scale=scale)[0]


def _cudnn(q: Tensor, k: Tensor, v: Tensor, scale: float | None) -> Tensor:
    return torch.ops.aten._scaled_dot_product_cudnn_attention(q, k, v, None, False, scale=scale)[0]


KERNELS = {"flash": _flash, "cudnn": _cudnn}  # torch's own; called by name, so that nothing else is chosen


def flash_attn_varlen(
    compute: Kernel, q: Tensor, k: Tensor, v: Tensor, cu_seqlens_q: Tensor, **sizes: object
) -> Tensor:
    """flash-attn's function of the name for sequences of one length each, (B * L, N, D); no mask, no dropout."""
    batch = cu_seqlens_q.numel() - 1
    heads = [part.unflatten(0, (batch, -1)).transpose(1, 2) for part in (q, k, v)]
    return compute(*heads, sizes.get("softmax_scale")).transpose(1, 2).flatten(0, 1)


def _on_cpu(checkout: Checkout) -> None:
    """Go round the reference's own check that it runs on a GPU."""
    checkout.model.flash_attention = _plain
    checkout.causal_model.attention = _plain


def _plain(q: Tensor, k: Tensor, v: Tensor, k_lens: Tensor | None = None) -> Tensor:
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    return scaled_dot_product_attention(q, k, v).transpose(1, 2).contiguous()
