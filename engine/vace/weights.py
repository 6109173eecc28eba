"""VACE's weights in checkpoints: a module of them alone, or beside a transformer's. Knows nothing of loading."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from torch import Tensor

from engine.checkpoints import Checkpoint, CheckpointError

_PREFIX = "vace_"  # of every published key that is VACE's, and of no other


def vace_weights(checkpoint: Checkpoint) -> Checkpoint:
    """The same checkpoint with VACE's weights alone. Raises CheckpointError when it has none."""
    found = _part(checkpoint, is_vace=True)
    if not found.tensors:
        raise CheckpointError(
            f"{checkpoint.path}: this is {checkpoint.kind}, without VACE's weights; choose a VACE module, or a "
            "checkpoint with VACE"
        )
    return found


def check_layers(checkpoint: Checkpoint, layers: tuple[int, ...]) -> None:
    """Raise CheckpointError where a file says which layers its hints were trained for, and those are others."""
    try:
        config = json.loads(checkpoint.metadata.get("config", "{}"))
        trained = tuple(config.get("vace_layers") or layers)
    except (ValueError, TypeError, AttributeError):
        return  # somebody else's note
    if trained != layers:
        raise CheckpointError(
            f"{checkpoint.path}: its hints are for the layers {list(trained)}, the preset gives them to {list(layers)};"
            " write the file's into [vace] of the preset"
        )


def base_weights(checkpoint: Checkpoint) -> Checkpoint:
    """The same checkpoint without VACE's weights; one that has no others stays as it is, to be told what it is."""
    found = _part(checkpoint, is_vace=False)
    return found if found.tensors else checkpoint


def _part(checkpoint: Checkpoint, *, is_vace: bool) -> Checkpoint:
    def chosen(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in tensors.items() if name.startswith(_PREFIX) == is_vace}

    return dataclasses.replace(checkpoint, tensors=chosen(checkpoint.tensors), scales=chosen(checkpoint.scales))
