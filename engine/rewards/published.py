"""Published reward checkpoints: where their files are, and weights into a module strictly or not at all.

Knows nothing of any one model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.downloads.catalogue import read_catalogue
from engine.downloads.places import locate
from engine.rewards.protocol import RewardError
from engine.weight_files import CheckpointError, WeightFile, read_weight_file, tensors_of

NAMED = 6  # keys of a kind that an error names
NESTS = ("state_dict", "model", "module")


class PublishedFiles:
    """The files of a part of presets/downloads, by their name; from `folder` instead, where one is given."""

    def __init__(self, part: str, folder: Path | None = None) -> None:
        self.part = part
        self._folder = folder
        parts = read_catalogue().parts
        if part not in parts:
            raise RewardError(f"{part}: there is no such part; `vj models list` shows all")
        self._files = {Path(file.path).name: file for file in parts[part].files}

    def path(self, name: str) -> Path:
        """Path of a file. Raises RewardError with the command that fetches it when it is not here."""
        if self._folder is not None:
            return self._folder / name
        found = locate(self._files[name])
        if found is None:
            file = self._files[name]
            raise RewardError(
                f"{file.path} of {file.source} is not on this machine; `vj models download {self.part}` fetches it"
            )
        return found[0]

    def weights(self, name: str) -> dict[str, Tensor]:
        """Tensors of a weight file, out of whatever nest its trainer left them in. Raises RewardError."""
        return tensors_of(_inner(_read(self.path(name))))

    def settings(self, name: str) -> dict[str, Any]:
        """A JSON file. Raises RewardError."""
        path = self.path(name)
        try:
            return json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RewardError(f"{path}: it cannot be read ({error}); download it again") from None


def missing_files(parts: tuple[str, ...]) -> list[str]:
    """A sentence for each part of which a file is not on this machine."""
    catalogue, sentences = read_catalogue(), []
    for part in parts:
        absent = [file.path for file in catalogue.parts[part].files if locate(file) is None]
        if absent:
            files = ", ".join(absent)
            sentences.append(f"{part}: not on this machine ({files}); `vj models download {part}` fetches it")
    return sentences


def _read(path: Path) -> WeightFile:
    try:
        return read_weight_file(path)
    except CheckpointError as error:
        raise RewardError(str(error)) from None


def _inner(file: WeightFile) -> dict[str, object]:
    for nest in NESTS:
        inner = file.entries.get(nest)
        if isinstance(inner, dict):
            return {str(name): value for name, value in inner.items()}
    return file.entries


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Fill a module, in its own number types; on any difference nothing is filled and RewardError names it."""
    wanted = module.state_dict()
    faults = [(f"missing {len(names)}", names) for names in [sorted(wanted.keys() - tensors.keys())] if names]
    faults += [(f"unknown {len(names)}", names) for names in [sorted(tensors.keys() - wanted.keys())] if names]
    shapes = sorted(name for name in wanted.keys() & tensors.keys() if wanted[name].shape != tensors[name].shape)
    if shapes:
        faults.append((f"of another shape {len(shapes)}", shapes))
    if faults:
        listed = "; ".join(f"{label} ({', '.join(names[:NAMED])})" for label, names in faults)
        raise RewardError(f"{source}: its weights do not fit the model: {listed}. Is it the published file?")
    module.load_state_dict({name: tensor.to(wanted[name].dtype) for name, tensor in tensors.items()})


def renamed(tensors: Mapping[str, Tensor], rename: Callable[[str, Tensor], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors under other names: `rename` gives what one becomes, {} for what is left out."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        found.update(rename(name, tensor))
    return found


class Tokens:
    """A published tokenizer.json: texts to rows of equal length, with the ending kept where a text is cut."""

    def __init__(self, path: Path, length: int, padding: int = 0) -> None:
        from transformers import PreTrainedTokenizerFast

        if not path.is_file():
            raise RewardError(f"{path}: there is no such tokenizer")
        self._tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(path))
        self._length = length
        self._padding = padding

    def __call__(self, texts: list[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Ids (texts, length) and a mask of the same size, 1 where there is a token."""
        ids = torch.full((len(texts), self._length), self._padding)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(texts):
            found = self._tokenizer(text, truncation=True, max_length=self._length)["input_ids"]
            ids[row, : len(found)] = torch.tensor(found)
            mask[row, : len(found)] = 1
        return ids.to(device), mask.to(device)
