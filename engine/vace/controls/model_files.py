"""Published networks of control makers: where they lie, and how one is put on a device. Reaches no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn

from engine.downloads.places import resolve
from engine.weight_files import CheckpointError

SET = "controls"  # of presets/downloads: what all makers need


def model_folder(control: str, references: Sequence[str]) -> Path:
    """Folder with all these `models:` files. Raises CheckpointError with the line that fetches them."""
    paths = [resolve(reference) for reference in references]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or len({path.parent for path in paths}) > 1:
        raise CheckpointError(
            f"control {control!r} needs a network that is not on this machine ({paths[0].parent.name}: "
            f"{', '.join(missing) or 'its files lie apart'}); `vj models download {SET}` fetches it"
        )
    return paths[0].parent


def network_to(kind: type[nn.Module], folder: Path, device: torch.device) -> tuple[nn.Module, torch.dtype]:
    """Read a network of transformers' class `kind`; half precision on a GPU. Raises CheckpointError."""
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    try:
        network, report = kind.from_pretrained(folder, local_files_only=True, dtype=dtype, output_loading_info=True)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise CheckpointError(f"{folder} cannot be read as {kind.__name__} ({str(error)[:200]})") from None
    if missing := sorted(map(str, report["missing_keys"])):  # transformers would play with random numbers there
        raise CheckpointError(f"{folder} cannot be read as {kind.__name__}: {missing[0]} and more are missing")
    return network.to(device).eval().requires_grad_(False), dtype
