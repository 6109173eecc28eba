"""Key names of LoRA files: which module of the model a key belongs to, and which part of its change it is.

Names are looked up among the model's own modules, never guessed by pattern: underscores do not say where to split.
Knows nothing of tensors or files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.key_maps import dit_to_diffusers

# (prefix, style), the longest first where one begins with another
_PREFIXES = (
    ("base_model.model.transformer.", "PEFT"),
    ("base_model.model.diffusion_model.", "PEFT"),
    ("base_model.model.", "PEFT"),
    ("diffusion_model.", "ComfyUI"),
    ("transformer.", "diffusers"),
    ("lora_unet__", "VideoX-Fun"),
    ("lora_unet_", "kohya"),
    ("lora_transformer_", "kohya"),
    ("unet.", "diffusers"),
    ("model.", "bare"),
    ("", "bare"),
)
_PARTS = {
    ".lora_A.weight": "down", ".lora_A.default.weight": "down",
    ".lora_down.weight": "down", ".lora.down.weight": "down",
    ".lora_B.weight": "up", ".lora_B.default.weight": "up", ".lora_up.weight": "up", ".lora.up.weight": "up",
    ".lora_B.bias": "up_bias", ".lora_up.bias": "up_bias", ".alpha": "alpha",
    ".diff": "difference", ".diff_b": "bias_difference",
    ".hada_w1_a": "hada_w1_a", ".hada_w1_b": "hada_w1_b", ".hada_w2_a": "hada_w2_a", ".hada_w2_b": "hada_w2_b",
    ".lokr_w1": "lokr_w1", ".lokr_w1_a": "lokr_w1_a", ".lokr_w1_b": "lokr_w1_b",
    ".lokr_w2": "lokr_w2", ".lokr_w2_a": "lokr_w2_a", ".lokr_w2_b": "lokr_w2_b",
}  # fmt: skip
REFUSED_PARTS = {
    ".dora_scale": "DoRA (it rescales whole weights and cannot be mixed by weight)",
    ".lora_magnitude_vector": "DoRA (it rescales whole weights and cannot be mixed by weight)",
    ".hada_t1": "a LoHa of convolutions",
    ".lokr_t2": "a LoKr of convolutions",
    ".oft_diag": "OFT (it turns weights and cannot be added)",
    ".oft_blocks": "OFT (it turns weights and cannot be added)",
    ".lora_mid.weight": "a LoCon of convolutions",
}
_TEXT_ENCODER_PREFIXES = ("lora_te", "text_encoder.", "text_encoders.")


@dataclass(frozen=True)
class LoraKey:
    """One key taken apart. `module` is a module's published name, or the file's own name for one the model lacks."""

    module: str
    part: str  # one of the values of _PARTS
    style: str
    is_known: bool


class ModuleNames:
    """Every way a LoRA file may write the names of a model's modules."""

    def __init__(self, modules: Iterable[str]) -> None:
        """`modules` are the published names of all modules with a weight ("blocks.0.self_attn.q")."""
        self._names: dict[str, str] = {}
        for module in modules:
            for name in (module, _diffusers_name(module)):
                self._names[name] = self._names[name.replace(".", "_")] = module

    def parse(self, key: str) -> LoraKey | None:
        """Take a key apart; None for what is no part of a LoRA at all, or belongs to a text encoder."""
        if key.startswith(_TEXT_ENCODER_PREFIXES):
            return None
        for suffix, part in _PARTS.items():
            if key.endswith(suffix):
                return self._find(key.removesuffix(suffix), part)
        return None

    def _find(self, stem: str, part: str) -> LoraKey:
        for prefix, style in _PREFIXES:
            name = stem.removeprefix(prefix)
            if stem.startswith(prefix) and name in self._names:
                is_diffusers = style in ("bare", "ComfyUI") and _is_diffusers(name)
                return LoraKey(self._names[name], part, "diffusers" if is_diffusers else style, is_known=True)
        prefix, style = next((prefix, style) for prefix, style in _PREFIXES if stem.startswith(prefix))
        return LoraKey(stem.removeprefix(prefix), part, style, is_known=False)


def refused_kind(keys: Iterable[str]) -> str:
    """Return what a file is that cannot be mixed by weight; empty when it can."""
    for key in keys:
        for suffix, kind in REFUSED_PARTS.items():
            if key.endswith(suffix):
                return kind
    return ""


def _diffusers_name(module: str) -> str:
    try:
        return dit_to_diffusers(f"{module}.weight").removesuffix(".weight")
    except KeyError:
        return module


def _is_diffusers(name: str) -> bool:
    return any(mark in name for mark in (".attn1.", ".attn2.", ".ffn.net.", "condition_embedder", "proj_out"))
