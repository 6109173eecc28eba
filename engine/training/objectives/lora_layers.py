"""Low-rank changes put beside a frozen transformer's linear layers, trained there, and taken out as factors.

The weights' own names stay; a layer gets two small ones more. Knows nothing of files or of losses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

DOWN, UP = "lora_down", "lora_up"
Factors = dict[str, tuple[Tensor, Tensor, float]]  # module name -> down (rank, in), up (out, rank), alpha


class _Change:
    """What a layer's hook adds: scale * up(down(x))."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, layer: nn.Linear, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        down, up = layer.get_submodule(DOWN), layer.get_submodule(UP)
        return output + (self.scale * up(down(inputs[0]))).to(output.dtype)


def add_lora(model: nn.Module, rank: int, alpha: float, seed: int) -> int:
    """Freeze a model and put a LoRA beside every linear layer; return how many there are.

    Down as Kaiming-uniform with sqrt 5, up zeros: at first nothing changes. Raises ValueError for rank or alpha of 0.
    """
    if rank < 1 or alpha <= 0.0:
        raise ValueError(f"rank = {rank} must be at least 1 and alpha = {alpha:g} above 0")
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    layers = list(_linear_layers(model))
    for _, layer in layers:
        down, up = nn.Linear(layer.in_features, rank, bias=False), nn.Linear(rank, layer.out_features, bias=False)
        nn.init.kaiming_uniform_(down.weight, a=math.sqrt(5), generator=generator)
        nn.init.zeros_(up.weight)
        layer.add_module(DOWN, down)
        layer.add_module(UP, up)
        layer.register_forward_hook(_Change(alpha / rank))
    return len(layers)


def lora_factors(weights: Mapping[str, Tensor], alpha: float) -> Factors:
    """Factors out of a state dict of a model with a LoRA, by the layers' published names."""
    factors: Factors = {}
    for name, down in weights.items():
        module, marked, _ = name.partition(f".{DOWN}.weight")
        if marked:
            factors[module] = (down, weights[f"{module}.{UP}.weight"], alpha)
    return factors


def _linear_layers(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            yield name, module
