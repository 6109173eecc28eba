"""One LoRA file, read and checked against a model: which modules it changes, by how much, and what it leaves out.

W' = W + weight * scale * (B A); scale = alpha / rank, alpha / sqrt(rank) in rank-stabilised files, 1 without alpha.
Knows nothing of when or how strongly it is played.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.checkpoint_kinds import grouped, likely_kind, lora_kind
from engine.lora.key_styles import LoraKey, ModuleNames, refused_kind
from engine.weight_files import CheckpointError, read_weight_file, tensors_of

_NESTS = ("generator_lora", "lora_state_dict", "state_dict")  # trainers' files keep the LoRA under one of these
_BIAS_PARTS = frozenset(("bias_difference", "up_bias"))
_ADAPTER_CONFIG = "adapter_config.json"  # beside a PEFT file
_ADAPTER_METADATA = "lora_adapter_metadata"  # in a diffusers file


class LoraError(CheckpointError):
    """A LoRA file that cannot be used; the message says which, why and what to do."""


@dataclass(frozen=True)
class ModuleChange:
    """What a file adds to one module's weight at weight 1; tensors as stored."""

    parts: Mapping[str, Tensor]
    scale: float

    def weight_delta(self, shape: torch.Size, device: torch.device) -> Tensor | None:
        """Delta of the weight, float32 of `shape` on `device`; None when only the bias changes."""
        part = {name: tensor.to(device, torch.float32) for name, tensor in self.parts.items() if name != "alpha"}
        delta = None
        if "down" in part:
            delta = self.scale * (part["up"].flatten(1) @ part["down"].flatten(1))
        elif "hada_w1_a" in part:  # LoHa: the product, element by element, of two low-rank matrices
            first, second = (part[f"hada_w{n}_a"] @ part[f"hada_w{n}_b"] for n in (1, 2))
            delta = self.scale * first * second
        elif "lokr_w1" in part or "lokr_w1_a" in part:  # LoKr: a Kronecker product
            first, second = (part.get(f"lokr_w{n}") for n in (1, 2))
            first = part["lokr_w1_a"] @ part["lokr_w1_b"] if first is None else first
            second = part["lokr_w2_a"] @ part["lokr_w2_b"] if second is None else second
            delta = self.scale * torch.kron(first, second)
        if "difference" in part:
            delta = part["difference"] + (0.0 if delta is None else delta.reshape(shape))
        return None if delta is None else delta.reshape(shape)

    def factors(self) -> tuple[Tensor, Tensor] | None:
        """Up and down as float32 matrices where they are all there is; None for every other kind of change."""
        if "down" not in self.parts or "difference" in self.parts:
            return None
        return self.parts["up"].float().flatten(1), self.parts["down"].float().flatten(1)

    def bias_delta(self, device: torch.device) -> Tensor | None:
        """Delta of the bias, float32; None when it stays."""
        if "bias_difference" in self.parts:
            return self.parts["bias_difference"].to(device, torch.float32)
        if "up_bias" in self.parts:
            return self.scale * self.parts["up_bias"].to(device, torch.float32)
        return None

    @property
    def rank(self) -> int:
        """Inner width; 0 for full differences."""
        return _rank(self.parts)


@dataclass(frozen=True)
class LoraFile:
    """A file that fits a model."""

    path: Path
    style: str  # "kohya", "VideoX-Fun", "ComfyUI", "diffusers", "PEFT" or "bare"
    modules: Mapping[str, ModuleChange]  # by published module name
    left_out: tuple[str, ...]  # modules the model does not have, in the file's words
    metadata: Mapping[str, str]
    biased: frozenset[str] = frozenset()  # modules of the model that have a bias

    @functools.cached_property
    def changed(self) -> Mapping[str, ModuleChange]:
        """Changes by name of the parameter they change, biases included."""
        found: dict[str, ModuleChange] = {}
        for module, change in self.modules.items():
            if change.parts.keys() - {"alpha", *_BIAS_PARTS}:
                found[f"{module}.weight"] = change
            if change.parts.keys() & _BIAS_PARTS and module in self.biased:
                found[f"{module}.bias"] = change
        return found

    def to(self, device: torch.device) -> LoraFile:
        """Same file with its tensors on a device."""
        modules = {
            name: ModuleChange({part: tensor.to(device) for part, tensor in change.parts.items()}, change.scale)
            for name, change in self.modules.items()
        }
        return dataclasses.replace(self, modules=modules)

    @functools.cached_property
    def summary(self) -> str:
        """What the file is in a few words, and what of it is left out."""
        ranks = sorted({change.rank for change in self.modules.values() if change.rank})
        rank = f", rank {'-'.join(map(str, dict.fromkeys((ranks[0], ranks[-1]))))}" if ranks else ""
        return f"{self.style}, {len(self.modules)} modules{rank}" + (f"; {self.note()}" if self.left_out else "")

    def note(self) -> str:
        """One sentence on what is left out; empty when nothing is."""
        if not self.left_out:
            return ""
        total = len(self.modules) + len(self.left_out)
        names = "; ".join(grouped(self.left_out))
        return f"{self.path.name}: {len(self.modules)} of {total} modules fit this model; left out: {names}"


def read_lora(path: Path, shapes: Mapping[str, tuple[int, ...]], alpha: float | None = None) -> LoraFile:
    """Read a .safetensors, .pt, .pth or .bin LoRA for a model whose parameters have `shapes` (published names).

    `alpha` overrides what the file says, for files saved without it. Raises LoraError with a sentence for a file of
    another model or kind, of wrong shapes, incomplete or not finite; CheckpointError when it cannot be read.
    """
    file = read_weight_file(path)
    tensors = tensors_of(_unnested(file.entries))
    kind = refused_kind(tensors)
    if kind:
        raise LoraError(f"{path}: this is {kind}; convert it to a plain LoRA, or merge it into a checkpoint")
    modules = [name.removesuffix(".weight") for name in shapes if name.endswith(".weight")]
    changes, left_out, style = _gather(tensors, ModuleNames(modules))
    if not changes:
        raise LoraError(f"{path}: nothing in it fits this model; it is {_kind(tensors)}")
    found = {
        name: ModuleChange(parts, _scale(parts, alpha, _declared_alpha(path, file.metadata)))
        for name, parts in changes.items()
    }
    _check(path, found, shapes, tensors)
    biased = frozenset(name.removesuffix(".bias") for name in shapes if name.endswith(".bias"))
    return LoraFile(path, style, found, tuple(sorted(left_out)), file.metadata, biased)


def _unnested(entries: dict[str, object]) -> dict[str, object]:
    for nest in _NESTS:
        inner = entries.get(nest)
        if isinstance(inner, dict):
            return {str(name): value for name, value in inner.items()}
    return entries


def _gather(tensors: Mapping[str, Tensor], names: ModuleNames) -> tuple[dict[str, dict[str, Tensor]], set[str], str]:
    changes: dict[str, dict[str, Tensor]] = {}
    left_out: set[str] = set()
    styles: list[str] = []
    for key, tensor in tensors.items():
        parsed: LoraKey | None = names.parse(key)
        if parsed is None:
            continue
        if not parsed.is_known:
            left_out.add(parsed.module)
            continue
        styles.append(parsed.style)
        changes.setdefault(parsed.module, {})[parsed.part] = tensor
    return changes, left_out, max(styles, key=styles.count, default="bare")


def _declared_alpha(path: Path, metadata: Mapping[str, str]) -> tuple[float | None, bool]:
    """Alpha and rank-stabilisation of a PEFT or diffusers file, where it declares them beside the tensors."""
    written: object = None
    try:
        if _ADAPTER_METADATA in metadata:
            written = json.loads(metadata[_ADAPTER_METADATA])
        elif (path.parent / _ADAPTER_CONFIG).is_file():
            written = json.loads((path.parent / _ADAPTER_CONFIG).read_text("utf-8"))
    except (OSError, ValueError):
        return None, False  # the tensors alone decide
    if not isinstance(written, dict):
        return None, False
    values = {str(key).removeprefix("transformer."): value for key, value in written.items()}
    alpha = values.get("lora_alpha")
    return (float(alpha) if isinstance(alpha, int | float) else None), values.get("use_rslora") is True


def _rank(parts: Mapping[str, Tensor]) -> int:
    for name in ("down", "hada_w1_b", "lokr_w1_b", "lokr_w2_b"):
        if name in parts:
            return parts[name].shape[0]
    return 0


def _scale(parts: Mapping[str, Tensor], override: float | None, declared: tuple[float | None, bool]) -> float:
    rank = _rank(parts)
    declared_alpha, is_stabilised = declared
    alpha = float(parts["alpha"]) if "alpha" in parts else declared_alpha
    alpha = alpha if override is None else override
    if alpha is None or rank == 0:  # whole LoKr factors ignore alpha, as their trainer does
        return 1.0
    return alpha / (math.sqrt(rank) if is_stabilised else rank)


_WHOLE = (
    {"down", "up"},
    {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"},
    {"difference"},
    {"bias_difference"},
)


def _is_whole(parts: Mapping[str, Tensor]) -> bool:
    names = parts.keys() - {"alpha", "up_bias"}
    kronecker = all(f"lokr_w{n}" in names or {f"lokr_w{n}_a", f"lokr_w{n}_b"} <= names for n in (1, 2))
    return kronecker or any(whole <= names for whole in _WHOLE)


def _check(
    path: Path,
    changes: Mapping[str, ModuleChange],
    shapes: Mapping[str, tuple[int, ...]],
    tensors: Mapping[str, Tensor],
) -> None:
    for name, change in changes.items():
        if not _is_whole(change.parts):
            raise LoraError(f"{path}: {name} has only {', '.join(sorted(change.parts))}; the file is incomplete")
        wanted, found = tuple(shapes[f"{name}.weight"]), _delta_shape(change.parts)
        if found is not None and math.prod(found) != math.prod(wanted):
            raise LoraError(
                f"{path}: {name} changes a weight of {found[0]}x{math.prod(found[1:])}, this model's is"
                f" {'x'.join(map(str, wanted))}; it is {_kind(tensors)}"
            )
        for part, tensor in change.parts.items():
            if not torch.isfinite(tensor).all():
                raise LoraError(f"{path}: {name} ({part}) holds values that are not numbers; the file is damaged")


def _delta_shape(parts: Mapping[str, Tensor]) -> tuple[int, ...] | None:
    """Shape of the weight a module's parts make, without making it."""
    if "down" in parts:
        return (parts["up"].shape[0], math.prod(parts["down"].shape[1:]))
    if "hada_w1_a" in parts:
        return (parts["hada_w1_a"].shape[0], parts["hada_w1_b"].shape[1])
    if "difference" in parts:
        return tuple(parts["difference"].shape)
    sides = []
    for n in (1, 2):
        whole = parts.get(f"lokr_w{n}")
        if whole is None and f"lokr_w{n}_a" not in parts:
            return None  # only the bias changes
        factors = (parts[f"lokr_w{n}_a"].shape[0], parts[f"lokr_w{n}_b"].shape[1]) if whole is None else whole.shape
        sides.append(factors)
    return (sides[0][0] * sides[1][0], sides[0][1] * sides[1][1])


def _kind(tensors: Mapping[str, Tensor]) -> str:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    return lora_kind(shapes) or likely_kind(shapes)
