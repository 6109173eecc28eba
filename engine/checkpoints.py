"""Checkpoints of every published flavour, brought to the published key names and loaded whole or not at all.

Flavours: original Wan, `model.` prefix (Reward Forcing), nested (Self-Forcing, trainer), diffusers.
Knows nothing of downloads or of which file belongs to which model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.checkpoint_kinds import Difference, compare, grouped, likely_kind
from engine.key_maps import published_names
from engine.model.cast_linear import FLOAT8, CastLinear, to_float8
from engine.weight_files import CheckpointError, TooLargeError, WeightFile, read_weight_file, tensors_of

__all__ = ["Checkpoint", "CheckpointError", "LoadReport", "load_into", "read_checkpoint"]

_AVERAGED_NEST = "generator_ema"
_NESTS = ("generator", "model", _AVERAGED_NEST)  # in the order of preference, as published: averages on request
_WRAPPER_PARTS = ("_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod.")  # left by training wrappers
_WRAPPER_PREFIX = "model."
_USABLE_DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.float8_e4m3fn, torch.float8_e5m2)
_FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)
_SCALE_ENDINGS = (".scale_weight", ".weight_scale")  # what a float8 weight is multiplied by: ComfyUI's, diffusers'
_BESIDE = ("scaled_fp8", "spiece_model")  # entries that are no weights: a mark, a tokenizer
_BESIDE_ENDINGS = (".scale_input", ".input_scale", ".comfy_quant")
MAPPED_BYTES = 64_000_000  # checkpoints of fewer bytes are copied: whoever writes over one spoils nothing that plays
_LOOKED_AT = 1 << 22  # numbers at a time


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file under the published key names, on the CPU and possibly memory-mapped: do not write them."""

    path: Path
    flavour: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    scales: Mapping[str, Tensor] = field(default_factory=dict)  # what a float8 tensor is multiplied by, by its name

    @property
    def kind(self) -> str:
        """What the file probably is, as a noun phrase."""
        return likely_kind(_shapes(self.tensors))

    def widened(self, name: str, device: torch.device | None = None) -> Tensor:
        """A tensor as it counts: one with a scale multiplied by it, in float32."""
        tensor, scale = self.tensors[name].to(device), self.scales.get(name)
        if scale is None:
            return tensor
        column = scale.float().to(tensor.device).reshape(-1, *(1,) * (tensor.dim() - 1))
        return tensor.float() * column


@dataclass(frozen=True)
class LoadReport:
    """What `load_into` did; `missing` and `extra` are empty unless it was told not to be strict."""

    path: Path
    flavour: str
    loaded: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]


def read_checkpoint(path: Path | str, *, averaged: bool = False) -> Checkpoint:
    """Read a weight file or a split folder of any flavour. Raises CheckpointError with a sentence if it cannot.

    With `averaged` the moving average kept while training (`generator_ema`), which the file must then hold.
    """
    try:
        file = read_weight_file(Path(path))
    except TooLargeError as error:
        raise CheckpointError(
            f"{path}: this is {likely_kind(error.shapes)} of {error.size_gb:.1f} GB; this computer does not give it so "
            "much memory"
        ) from None
    entries, flavour = _pick_nest(file, averaged)
    tensors = tensors_of(entries)
    if not tensors:
        raise CheckpointError(
            f"{file.path}: it holds no weights, neither bare nor under {', '.join(_NESTS)} "
            f"(its entries: {', '.join(sorted(file.entries)[:8]) or 'none'}); it needs a model's state_dict()"
        )
    tensors, was_prefixed = _without_wrappers(tensors, file.path)
    if was_prefixed and flavour == "original":
        flavour = "reward-forcing"
    tensors, scales = _without_scales(tensors)
    names = published_names(tensors)
    if names is not None:
        tensors = {names[name]: tensor for name, tensor in tensors.items()}
        scales = {names[name]: scale for name, scale in scales.items()}
        flavour = "diffusers"
    return Checkpoint(file.path, flavour, tensors, file.metadata, scales)


def load_into(
    module: nn.Module,
    source: Path | str | Checkpoint,
    *,
    strict: bool = True,
    device: torch.device | None = None,
    advance: Callable[[int], None] | None = None,
) -> LoadReport:
    """Copy a checkpoint into `module`, in the module's dtypes; on any problem nothing is copied.

    A module on the meta device gets its weights on `device` (default CPU; what has the right dtype stays mapped, if it
    is large), tensor by tensor; `advance` is told the bytes of each. All that does not fit is one CheckpointError.
    With `strict` off, missing and extra keys are returned in the report instead.
    """
    checkpoint = source if isinstance(source, Checkpoint) else read_checkpoint(source)
    scales = {f"{name}.scale" for name, part in module.named_modules() if isinstance(part, CastLinear)}
    wanted = {name: tensor for name, tensor in module.state_dict().items() if name not in scales}
    difference = compare(_shapes(checkpoint.tensors), _shapes(wanted))
    tolerated = difference
    if not strict:
        difference = Difference(misshapen=difference.misshapen)
    usable = {name: t for name, t in checkpoint.tensors.items() if name in wanted and t.shape == wanted[name].shape}
    lines = difference.lines() + _value_problems(usable)
    if lines or not usable:
        raise CheckpointError("\n".join([_misfit_sentence(checkpoint, wanted, difference, usable), *lines]))
    if any(target.is_meta for target in wanted.values()):
        _place(module, checkpoint, usable, device or torch.device("cpu"), advance)
    else:
        module.load_state_dict({name: checkpoint.widened(name) for name in usable}, strict=False)
    return LoadReport(
        checkpoint.path, checkpoint.flavour, len(usable), tuple(tolerated.missing), tuple(tolerated.extra)
    )


def _pick_nest(file: WeightFile, averaged: bool) -> tuple[dict[str, object], str]:
    for nest in (_AVERAGED_NEST,) if averaged else _NESTS:
        inner = file.entries.get(nest)
        if isinstance(inner, dict) and tensors_of(inner):
            return {str(name): value for name, value in inner.items()}, f"nested ({nest})"
    if averaged:
        held = ", ".join(sorted(file.entries)[:3])
        raise CheckpointError(
            f"{file.path}: it holds no averaged weights ({_AVERAGED_NEST}), only {held}; "
            "leave --ema out, or ema in the model's preset"
        )
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


def _without_scales(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part float8 weights from what they are multiplied by, given by the weight's name."""
    scales, weights = {}, {}
    for name, tensor in tensors.items():
        ending = next((ending for ending in _SCALE_ENDINGS if name.endswith(ending)), None)
        if ending is not None and f"{name.removesuffix(ending)}.weight" in tensors:
            scales[f"{name.removesuffix(ending)}.weight"] = tensor
        elif name not in _BESIDE and not name.endswith(_BESIDE_ENDINGS):
            weights[name] = tensor
    return weights, scales


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
    """Look at a bit at a time: a sum in another number type makes a copy of everything first."""
    flat = tensor.reshape(-1)
    for part in flat.split(_LOOKED_AT):
        numbers = part.float() if part.dtype in _FLOAT8 else part
        # a sum that only overflowed is looked at again
        if not (numbers.sum(dtype=torch.float32).isfinite() or numbers.isfinite().all()):
            return False
    return True


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


def _place(
    module: nn.Module,
    checkpoint: Checkpoint,
    tensors: Mapping[str, Tensor],
    device: torch.device,
    advance: Callable[[int], None] | None,
) -> None:
    """Give a module on the meta device its weights, each in the type the module wants it in."""
    is_large = sum(tensor.nbytes for tensor in tensors.values()) >= MAPPED_BYTES
    wanted = module.state_dict()
    placed = {}
    for name, tensor in tensors.items():
        dtype, scale_name = wanted[name].dtype, f"{name.removesuffix('weight')}scale"
        if scale_name in wanted and tensor.dtype == dtype:
            placed[name] = tensor.to(device, copy=not is_large)
            scale = checkpoint.scales.get(name, torch.ones(())).float().to(device)
            placed[scale_name] = scale.reshape(-1, 1).expand_as(wanted[scale_name]).contiguous()
        elif scale_name in wanted and dtype == FLOAT8:
            placed[name], placed[scale_name] = to_float8(checkpoint.widened(name, device))
        elif name in checkpoint.scales:
            placed[name] = checkpoint.widened(name, device).to(dtype)
        else:
            placed[name] = tensor.to(device, dtype, copy=not is_large)
        if advance is not None:
            advance(tensor.nbytes)
    module.load_state_dict(placed, strict=False, assign=True)
    if not any(parameter.is_meta for parameter in module.parameters()):
        module.to(device)  # what is in no state dict, such as constants


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
