"""Checkpoints of every published flavour, brought to the published key names and loaded whole or not at all.

Flavours: original Wan, `model.` prefix (Reward Forcing), nested (Self-Forcing, trainer), diffusers.
Knows nothing of downloads or of which file belongs to which model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.checkpoint_kinds import Difference, compare, grouped, likely_kind
from engine.key_maps import published_names
from engine.weight_files import CheckpointError, TooLargeError, WeightFile, read_weight_file, tensors_of

__all__ = ["Checkpoint", "CheckpointError", "LoadReport", "load_into", "read_checkpoint"]

_NESTS = ("generator_ema", "generator", "model")  # in the order of preference
_WRAPPER_PARTS = ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod.")  # left by training wrappers
_WRAPPER_PREFIX = "model."
_USABLE_DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file under the published key names, on the CPU and possibly memory-mapped: do not write them."""

    path: Path
    flavour: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]

    @property
    def kind(self) -> str:
        """What the file probably is, as a noun phrase."""
        return likely_kind(_shapes(self.tensors))


@dataclass(frozen=True)
class LoadReport:
    """What `load_into` did; `missing` and `extra` are empty unless it was told not to be strict."""

    path: Path
    flavour: str
    loaded: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]


def read_checkpoint(path: Path | str) -> Checkpoint:
    """Read a weight file or a split folder of any flavour. Raises CheckpointError with a sentence if it cannot."""
    try:
        file = read_weight_file(Path(path))
    except TooLargeError as error:
        raise CheckpointError(
            f"{path}: this is {likely_kind(error.shapes)} of {error.size_gb:.1f} GB; this computer does not give it so "
            "much memory"
        ) from None
    entries, flavour = _pick_nest(file)
    tensors = tensors_of(entries)
    if not tensors:
        raise CheckpointError(
            f"{file.path}: it holds no weights, neither bare nor under {', '.join(_NESTS)} "
            f"(its entries: {', '.join(sorted(file.entries)[:8]) or 'none'}); it needs a model's state_dict()"
        )
    tensors, was_prefixed = _without_wrappers(tensors, file.path)
    if was_prefixed and flavour == "original":
        flavour = "reward-forcing"
    names = published_names(tensors)
    if names is not None:
        tensors = {names[name]: tensor for name, tensor in tensors.items()}
        flavour = "diffusers"
    return Checkpoint(file.path, flavour, tensors, file.metadata)


def load_into(
    module: nn.Module, source: Path | str | Checkpoint, *, strict: bool = True, device: torch.device | None = None
) -> LoadReport:
    """Copy a checkpoint into `module`, in the module's dtype; on any problem nothing is copied.

    A module on the meta device gets its weights on `device` (default CPU). Missing, extra and misshapen keys,
    unusable element types and non-finite values are collected and raised as one CheckpointError. With `strict`
    off, missing and extra keys are returned in the report instead.
    """
    checkpoint = source if isinstance(source, Checkpoint) else read_checkpoint(source)
    wanted = module.state_dict()
    difference = compare(_shapes(checkpoint.tensors), _shapes(wanted))
    tolerated = difference
    if not strict:
        difference = Difference(misshapen=difference.misshapen)
    usable = {name: t for name, t in checkpoint.tensors.items() if name in wanted and t.shape == wanted[name].shape}
    lines = difference.lines() + _value_problems(usable)
    if lines or not usable:
        raise CheckpointError("\n".join([_misfit_sentence(checkpoint, wanted, difference, usable), *lines]))
    _copy(module, wanted, usable, device or torch.device("cpu"))
    return LoadReport(
        checkpoint.path, checkpoint.flavour, len(usable), tuple(tolerated.missing), tuple(tolerated.extra)
    )


def _pick_nest(file: WeightFile) -> tuple[dict[str, object], str]:
    for nest in _NESTS:
        inner = file.entries.get(nest)
        if isinstance(inner, dict) and tensors_of(inner):
            return {str(name): value for name, value in inner.items()}, f"nested ({nest})"
    if isinstance(lora := file.entries.get("generator_lora"), dict):
        raise CheckpointError(f"{file.path}: it holds a LoRA of {len(lora)} tensors, not a model; load it as a LoRA")
    return file.entries, "original"


def _without_wrappers(tensors: dict[str, Tensor], path: Path) -> tuple[dict[str, Tensor], bool]:
    """Return the tensors under names without training wrappers' parts, and whether all had the `model.` prefix."""
    cleaned: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        short = name
        for part in _WRAPPER_PARTS:
            short = short.replace(part, "")
        if short in cleaned:
            raise CheckpointError(
                f"{path}: two keys become {short} once the training wrappers' parts are taken off; "
                "export the model's plain state_dict()"
            )
        cleaned[short] = tensor
    if all(name.startswith(_WRAPPER_PREFIX) for name in cleaned):
        return {name.removeprefix(_WRAPPER_PREFIX): tensor for name, tensor in cleaned.items()}, True
    return cleaned, False


def _value_problems(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return report lines for tensors that fit by name and shape but cannot be used."""
    by_dtype: dict[torch.dtype, list[str]] = {}
    not_finite = []
    for name, tensor in tensors.items():
        if tensor.dtype not in _USABLE_DTYPES:
            by_dtype.setdefault(tensor.dtype, []).append(name)
        elif not _is_finite(tensor):
            not_finite.append(name)
    lines = []
    for dtype, names in by_dtype.items():
        lines.append(f"  of element type {str(dtype).removeprefix('torch.')} ({len(names)}):")
        lines += [f"    {label}" for label in grouped(names)]
    if not_finite:
        lines.append(f"  with NaN or infinite values ({len(not_finite)}):")
        lines += [f"    {label}" for label in grouped(not_finite)]
    return lines


def _is_finite(tensor: Tensor) -> bool:
    # One pass without a temporary as large as the tensor; a sum that only overflowed is looked at again.
    return bool(tensor.sum(dtype=torch.float32).isfinite()) or bool(tensor.isfinite().all())


def _misfit_sentence(
    checkpoint: Checkpoint, wanted: Mapping[str, Tensor], difference: Difference, usable: Mapping[str, Tensor]
) -> str:
    if not (difference.missing or difference.extra or difference.misshapen) and usable:
        return (
            f"{checkpoint.path}: the keys fit, the values do not; use a float32, bfloat16 or float16 export, "
            "or download it again if it has NaN values"
        )
    model = likely_kind(_shapes(wanted))
    if checkpoint.kind == model:
        return f"{checkpoint.path}: this is {model}, as wanted, but its keys do not fit the model:"
    return f"{checkpoint.path}: this is {checkpoint.kind}; the model to fill is {model}. Choose the file that fits it:"


def _copy(module: nn.Module, wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], device: torch.device) -> None:
    if any(target.is_meta for target in wanted.values()):
        placed = {name: t.to(device=device, dtype=wanted[name].dtype, copy=True) for name, t in tensors.items()}
        module.load_state_dict(placed, strict=False, assign=True)
        if not any(parameter.is_meta for parameter in module.parameters()):
            module.to(device)  # what is in no state dict, such as constants
    else:
        module.load_state_dict(tensors, strict=False)


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
