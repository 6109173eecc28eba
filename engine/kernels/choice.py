"""What of `Acceleration` this machine can do for a model, and doing it. The plain path is what remains."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import torch

from engine.acceleration import Acceleration
from engine.attention.kernels import Capability
from engine.attention.table import TABLE, Shape, table_file
from engine.kernels.fused_block import fuse
from engine.kernels.plain import Kernels
from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.quantised.attention import float8_kernel
from engine.quantised.layers import narrow_blocks
from engine.quantised.linears import has_float8_product


@dataclass(frozen=True)
class Prepared:
    """What a model is computed by from now on, in words for status, doctor and benchmarks."""

    kernels: str  # "triton", or "plain"
    linears: str  # one of `acceleration.LINEARS`
    narrowed: tuple[str, ...]  # layers that are computed narrower
    attention: dict[str, str]  # kernel by measured shape
    notes: tuple[str, ...]  # what was asked for and cannot be had, and why


def prepare_model(
    model: CausalWanTransformer, acceleration: Acceleration, latent_size: tuple[int, int] | None = None
) -> Prepared:
    """Let a model whose weights are in place be computed as `acceleration` asks, in place. Call once.

    With `latent_size` (height, width) attention's kernels are measured for its shapes, on CUDA, in under a second.
    """
    weight = model.patch_embedding.weight
    notes, narrowed = [], ()
    if acceleration.linears != "exact":
        narrowed = narrow_blocks(model, acceleration.linears)
        notes += _notes_on_linears(acceleration.linears, narrowed, weight.device)
    if acceleration.attention == "fp8" and float8_kernel(weight.device)[0] == "casting":
        notes.append("attention=fp8: this device has no such kernel; the numbers are float8's, the speed is not")
    is_float8 = "fp8" in (acceleration.linears, acceleration.attention)
    can_fuse = acceleration.fused and (has_float8_product(weight.device) or not is_float8)  # Triton has it or not, too
    kernels = fused_kernels(weight.device) if can_fuse else None
    if kernels is not None:
        fuse(model, kernels)
    measured = {}
    if latent_size is not None:
        TABLE.file = table_file()
        measured = TABLE.measure(stream_shapes(model.config, latent_size, weight.dtype), weight.device)
    return Prepared(
        kernels.name if kernels else "plain",
        acceleration.linears if narrowed else "exact",
        narrowed,
        {shape: min(times, key=lambda name: times[name]) for shape, times in measured.items() if times},
        tuple(notes),
    )


def fused_kernels(device: torch.device) -> Kernels | None:
    """The fused kernels where they run: CUDA of compute capability 8.0 and up, with Triton. None elsewhere."""
    if not Capability.of(device).is_at_least(8, 0) or importlib.util.find_spec("triton") is None:
        return None
    from engine.kernels.triton_kernels import TRITON

    return TRITON


def stream_shapes(config: ModelConfig, latent_size: tuple[int, int], dtype: torch.dtype) -> list[Shape]:
    """The shapes that count, most often seen first: chunks of both sizes over a full window, then over the prompt."""
    tokens = config.tokens_per_frame(*latent_size)
    sizes = dict.fromkeys((config.chunk_frames, 1))
    over = [config.window_frames * tokens, config.text_len]
    return [
        Shape(1, frames * tokens, keys, config.num_heads, config.head_dim, dtype) for keys in over for frames in sizes
    ]


def _notes_on_linears(kind: str, narrowed: tuple[str, ...], device: torch.device) -> list[str]:
    if not narrowed:
        return [f"linears={kind}: no layer of this model has sides that divide by 16; they stay exact"]
    if kind == "fp8" and not has_float8_product(device):
        return ["linears=fp8: this device multiplies no float8; the numbers are float8's, the speed is not"]
    return []
