"""Weights as one safetensors file in the model's own key names, which for every Wan model are the original ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.model.transformer import CausalWanTransformer

KIND = "causal_dit"  # as in ember's own file and in golden files


def export_weights(module: nn.Module, weights: Mapping[str, Tensor], path: Path, dtype: torch.dtype) -> None:
    """Write weights of `module`, with its kind and configuration as metadata. The old file stands until the end."""
    tensors = {name: (w.to(dtype) if w.is_floating_point() else w).contiguous() for name, w in weights.items()}
    metadata = {"format": "pt"}
    if isinstance(module, CausalWanTransformer):
        metadata |= {"kind": KIND, "config": json.dumps(dataclasses.asdict(module.config))}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata=metadata)
    partial.chmod(0o644)
    partial.replace(path)
