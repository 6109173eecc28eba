"""What a performer or a command line asks of LoRAs: files, weights and switches of the slots. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.downloads.loras import published_weight
from engine.params import ENGINE_PARAMETERS, LORA_SLOTS, ChunkParams

_WEIGHT = next(parameter for parameter in ENGINE_PARAMETERS if parameter.address == "/vj/lora/1/weight")
_LOWEST, _HIGHEST = _WEIGHT.minimum or 0.0, _WEIGHT.maximum or 0.0


@dataclass(frozen=True)
class LoraWeight:
    """One slot as it is wanted: a file's path or name, and its strength."""

    path: str
    weight: float


def wanted_loras(params: ChunkParams) -> tuple[LoraWeight, ...]:
    """Slots that are switched on and hold a file."""
    slots = zip(params.lora_files, params.lora_weights, params.lora_switches, strict=True)
    return tuple(LoraWeight(file, weight) for file, weight, is_on in slots if is_on and file)


def parse_lora(text: str) -> tuple[str, float]:
    """Split `FILE[:WEIGHT]` at the last colon if a number follows it; else the weight is as published, or 1."""
    file, colon, weight = text.rpartition(":")
    try:
        number = float(weight) if colon and file else math.nan
    except ValueError:
        number = math.nan
    return (file, number) if math.isfinite(number) else (text, published_weight(text))


def lora_values(loras: Sequence[str]) -> dict[str, str | float | bool]:
    """Values of the first slots for a list of `FILE[:WEIGHT]`.

    Raises ValueError for more files than slots, and for a weight no fader has.
    """
    if len(loras) > LORA_SLOTS:
        raise ValueError(f"{len(loras)} LoRAs; there are {LORA_SLOTS} slots")
    values: dict[str, str | float | bool] = {}
    for slot, written in enumerate(loras, start=1):
        file, weight = parse_lora(written)
        if not _LOWEST <= weight <= _HIGHEST:
            raise ValueError(f"{written}: a LoRA's weight is {_LOWEST:g} to {_HIGHEST:g}")
        stem = f"/vj/lora/{slot}"
        values |= {f"{stem}/file": file, f"{stem}/weight": weight, f"{stem}/on": True}
    return values
