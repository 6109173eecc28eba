"""Random LoRA files of sensible strength, in the key styles that trainers write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.key_maps import dit_to_diffusers

Keys = tuple[str, str, str | None]  # of down, up and alpha


def _kohya(module: str, prefix: str) -> Keys:
    stem = prefix + module.replace(".", "_")
    return f"{stem}.lora_down.weight", f"{stem}.lora_up.weight", f"{stem}.alpha"


def _dotted(stem: str, down: str, up: str, *, has_alpha: bool) -> Keys:
    return f"{stem}.{down}.weight", f"{stem}.{up}.weight", f"{stem}.alpha" if has_alpha else None


def _diffusers(module: str) -> str:
    return dit_to_diffusers(f"{module}.weight").removesuffix(".weight")


KEY_STYLES: Mapping[str, Callable[[str], Keys]] = {
    "kohya, musubi": lambda m: _kohya(m, "lora_unet_"),
    "VideoX-Fun": lambda m: _kohya(m, "lora_unet__"),
    "ComfyUI": lambda m: _dotted(f"diffusion_model.{m}", "lora_A", "lora_B", has_alpha=True),
    "ComfyUI down and up": lambda m: _dotted(f"diffusion_model.{m}", "lora_down", "lora_up", has_alpha=True),
    "diffusers": lambda m: _dotted(f"transformer.{_diffusers(m)}", "lora_A", "lora_B", has_alpha=False),
    "PEFT": lambda m: _dotted(f"base_model.model.{m}", "lora_A", "lora_B", has_alpha=False),
    "bare, adapter named": lambda m: _dotted(m, "lora_A.default", "lora_B.default", has_alpha=False),
    "trainer's checkpoint": lambda m: _dotted(f"model.{m}", "lora_A.default", "lora_B.default", has_alpha=False),
}


def write_random_lora(
    path: Path, style: str, weights: Mapping[str, Tensor], *, seed: int, strength: float, rank: int = 8
) -> Path:
    """Write a LoRA of every matrix in `weights`; at weight 1 it changes each by `strength` of its root mean square."""
    dice = torch.Generator().manual_seed(seed)
    alpha = rank / 2
    tensors: dict[str, Tensor] = {}
    for name, weight in weights.items():
        module = name.removesuffix(".weight")
        if weight.ndim != 2 or module == name:
            continue
        down_key, up_key, alpha_key = KEY_STYLES[style](module)
        scale = alpha / rank if alpha_key else 1.0
        size = strength * float(weight.float().square().mean().sqrt()) / (scale * rank**0.5)
        tensors[down_key] = torch.randn(rank, weight.shape[1], generator=dice)
        tensors[up_key] = size * torch.randn(weight.shape[0], rank, generator=dice)
        if alpha_key:
            tensors[alpha_key] = torch.tensor(alpha)
    if style == "trainer's checkpoint":
        path = path.with_suffix(".pt")
        torch.save({"generator_lora": tensors, "step": 100}, path)
    else:
        path = path.with_suffix(".safetensors")
        save_file(tensors, path)
    return path
