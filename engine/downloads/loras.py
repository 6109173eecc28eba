"""LoRAs among the published files, by the name of their part: where they lie, and how strong they are played."""

from __future__ import annotations

from pathlib import Path

from engine.downloads.catalogue import Part, read_catalogue
from engine.downloads.places import locate, own_path
from engine.preset_table import PresetError


def published_lora(name: str) -> Path | None:
    """Path of a published LoRA, there or not; None when no part of that name is one."""
    part = _part(name)
    if part is None:
        return None
    found = locate(part.files[0])
    return found[0] if found else own_path(part.files[0])


def published_weight(name: str) -> float:
    """The weight its authors play a published LoRA with; 1 for any other file."""
    part = _part(name)
    return 1.0 if part is None or part.weight is None else part.weight


def _part(name: str) -> Part | None:
    if "/" in name or "." in name:
        return None
    try:
        part = read_catalogue().parts.get(name)
    except PresetError:  # told where models are listed; a LoRA is a file like any other here
        return None
    return part if part is not None and part.weight is not None and len(part.files) == 1 else None
