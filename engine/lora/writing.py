"""Writing LoRA files in the key styles other programs read, and taking a LoRA out of the difference of two models.

Knows nothing of command lines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.key_maps import dit_to_diffusers
from engine.lora.lora_file import LoraError, LoraFile

STYLES = ("kohya", "VideoX-Fun", "ComfyUI", "diffusers", "PEFT", "bare")


def write_factors(
    path: Path, factors: Mapping[str, tuple[Tensor, Tensor, float]], style: str, metadata: Mapping[str, str]
) -> None:
    """Write (down, up, alpha) by published module name, atomically. Raises LoraError when it cannot be written."""
    tensors: dict[str, Tensor] = {}
    for module, (down, up, alpha) in factors.items():
        down_key, up_key, alpha_key = _keys(module, style)
        tensors[down_key], tensors[up_key] = down.contiguous(), up.contiguous()
        tensors[alpha_key] = torch.tensor(float(alpha), dtype=down.dtype)
    partial = path.with_name(path.name + ".partial")
    try:
        save_file(tensors, partial, {"format": "pt", **metadata})
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise LoraError(f"{path} cannot be written ({error.strerror or error}): choose another folder") from None


def convert(file: LoraFile, path: Path, style: str) -> None:
    """Write a plain LoRA in another key style; factors and strength stay. Raises LoraError for LoHa, LoKr and diffs."""
    factors = {}
    for module, change in file.modules.items():
        other = change.parts.keys() - {"down", "up", "alpha"}
        if other:
            raise LoraError(
                f"{file.path}: {module} holds {', '.join(sorted(other))}; only plain LoRAs can be converted"
            )
        factors[module] = (change.parts["down"], change.parts["up"], change.scale * change.rank)
    write_factors(path, factors, style, file.metadata)


def extract(
    base: Mapping[str, Tensor], tuned: Mapping[str, Tensor], rank: int
) -> Iterator[tuple[str, tuple[Tensor, Tensor, float], float]]:
    """Yield (module, (down, up, alpha), share of the difference kept, 0..1) of every matrix that differs.

    The best approximation of `rank` in the sense of least squares (truncated singular values), in float32.
    """
    for name, weight in base.items():
        module = name.removesuffix(".weight")
        other = tuned.get(name)
        if module == name or weight.ndim != 2 or other is None or other.shape != weight.shape:
            continue
        difference = other.float() - weight.float()
        if not difference.any():
            continue
        left, strengths, right = torch.linalg.svd(difference, full_matrices=False)
        kept = min(rank, len(strengths))
        root = strengths[:kept].sqrt()
        share = float(strengths[:kept].square().sum() / strengths.square().sum())
        yield module, (root[:, None] * right[:kept], left[:, :kept] * root, float(kept)), share


def _keys(module: str, style: str) -> tuple[str, str, str]:
    """Keys of down, up and alpha."""
    if style in ("kohya", "VideoX-Fun"):
        stem = f"lora_unet{'__' if style == 'VideoX-Fun' else '_'}{module.replace('.', '_')}"
        return f"{stem}.lora_down.weight", f"{stem}.lora_up.weight", f"{stem}.alpha"
    if style == "diffusers":
        stem = "transformer." + dit_to_diffusers(f"{module}.weight").removesuffix(".weight")
    else:
        stem = {"ComfyUI": "diffusion_model.", "PEFT": "base_model.model.", "bare": ""}[style] + module
    return f"{stem}.lora_A.weight", f"{stem}.lora_B.weight", f"{stem}.alpha"
