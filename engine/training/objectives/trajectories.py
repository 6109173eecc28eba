"""Trajectories of a teacher on disk: states at a few levels on the way from noise to a clip, in shards.

Reads what stage `ode-pairs` writes, and folders of published `%05d.pt` files, {prompt: states}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

KIND = "ode_pairs"
PUBLISHED_SIGMAS = (1.0, 0.96, 8.0 / 9.0, 8.0 / 11.0, 0.0)  # 48 steps at shift 8, states 0, 12, 24, 36 and the end


class PairsError(ValueError):
    """Trajectories that cannot be used, in a sentence."""


@dataclass(frozen=True)
class Header:
    """What holds for all trajectories of a folder; `space` names the latents they are in."""

    sigmas: tuple[float, ...]  # of the stored states, falling; the last is 0, the clip itself
    space: str
    shape: tuple[int, ...]  # (F, C, h, w)


@dataclass(frozen=True)
class Trajectory:
    """States (S, F, C, h, w) float16 of one prompt."""

    prompt: str
    states: Tensor


def write_shard(path: Path, trajectories: Sequence[Trajectory], sigmas: tuple[float, ...], space: str) -> None:
    """Write trajectories as one file, whole or not at all."""
    metadata = {
        "kind": KIND,
        "prompts": json.dumps([trajectory.prompt for trajectory in trajectories]),
        "sigmas": json.dumps(sigmas),
        "space": space,
    }
    partial = path.with_suffix(".partial")
    save_file({"states": torch.stack([one.states.half() for one in trajectories])}, partial, metadata=metadata)
    partial.replace(path)


class Trajectories:
    """All trajectories of a folder; states are read when they are asked for."""

    def __init__(self, folder: Path, most: int = 0) -> None:
        """`most` takes only the first so many, 0 = all. Raises PairsError."""
        shards, loose = sorted(folder.glob("*.safetensors")), sorted(folder.glob("*.pt"))
        if not shards and not loose:
            raise PairsError(f"{folder}: holds no trajectories; `vj train ode-pairs` makes them")
        self._places: list[tuple[Path, int, str]] = []
        headers: set[Header] = set()
        for path in shards:
            header, prompts = _read_header(path)
            headers.add(header)
            self._places += [(path, row, prompt) for row, prompt in enumerate(prompts)]
        for path in loose:
            prompt, states = _read_published(path)
            headers.add(Header(PUBLISHED_SIGMAS, "Wan2.1's (16 channels)", tuple(states.shape[1:])))
            self._places.append((path, 0, prompt))
        if len(headers) > 1:
            raise PairsError(f"{folder}: holds trajectories of different kinds: {', '.join(map(str, headers))}")
        self.header = headers.pop()
        self._places = self._places[: most or None]

    def __len__(self) -> int:
        return len(self._places)

    @property
    def prompts(self) -> tuple[str, ...]:
        """Prompts, in order."""
        return tuple(prompt for _, _, prompt in self._places)

    def __getitem__(self, index: int) -> Trajectory:
        path, row, prompt = self._places[index]
        if path.suffix == ".pt":
            return Trajectory(prompt, _read_published(path)[1])
        with safe_open(path, framework="pt") as file:
            return Trajectory(prompt, file.get_slice("states")[row])


def _read_header(path: Path) -> tuple[Header, list[str]]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("kind") != KIND:
            raise PairsError(f"{path}: holds {metadata.get('kind', 'something unnamed')!r}, no trajectories")
        shape = tuple(file.get_slice("states").get_shape())
    return Header(tuple(json.loads(metadata["sigmas"])), metadata["space"], shape[2:]), json.loads(metadata["prompts"])


def _read_published(path: Path) -> tuple[str, Tensor]:
    """One published file: {prompt: states (1, S, F, C, h, w)}."""
    content = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
    if not isinstance(content, dict) or len(content) != 1:
        raise PairsError(f"{path}: is no published trajectory, which is one prompt with its states")
    prompt, states = next(iter(content.items()))
    if states.ndim != 6 or states.shape[1] != len(PUBLISHED_SIGMAS):
        raise PairsError(f"{path}: states of size {tuple(states.shape)}; (1, 5, F, C, h, w) are published")
    return str(prompt), states[0]
