"""The processes of a run: one, or those `torchrun` started; the device of this one, and what all agree on."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

TIMEOUT = datetime.timedelta(minutes=30)  # of one exchange: a reward model may take its time on one process only


@dataclass(frozen=True)
class World:
    """This process among `size`. Without a mesh there is one, and nothing is sharded or exchanged."""

    rank: int
    size: int
    device: torch.device
    mesh: DeviceMesh | None = None
    figures_group: Any = None  # both on the CPU; checkpoints are written from a thread and need a group of their own
    saving_group: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this process writes logs, panels and exports."""
        return self.rank == 0

    def gather(self, mine: Any) -> list[Any]:
        """What every process passes, by rank; plain data. All processes call together."""
        if self.mesh is None:
            return [mine]
        parts: list[Any] = [None] * self.size
        distributed.all_gather_object(parts, mine, group=self.figures_group)
        return parts

    def from_first(self, value: Any) -> Any:
        """The first process's value, on all. All processes call together."""
        return self.gather(value if self.is_first else None)[0]


def world_size(environment: Mapping[str, str] = os.environ) -> int:
    """How many processes `torchrun` started; 1 without it."""
    return int(environment.get("WORLD_SIZE", "1"))


def mesh_shape(size: int, node_size: int, shard: int) -> tuple[int, int]:
    """(copies, processes a model is split over). Raises ValueError with a sentence where they do not fit."""
    shard = shard or min(node_size, size)
    if size % shard:
        raise ValueError(f"[trainer] shard = {shard} must divide the number of processes, {size}")
    return size // shard, shard


@contextlib.contextmanager
def open_world(device: str, shard: int) -> Iterator[World]:
    """Join the processes of this run. Raises ValueError where device or shard do not fit; nothing is computed."""
    size = world_size()
    chosen = _device(device)
    if size == 1:
        yield World(0, 1, chosen)
        return
    copies, shard = mesh_shape(size, int(os.environ.get("LOCAL_WORLD_SIZE", size)), shard)
    backend = "gloo" if chosen.type == "cpu" else "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, timeout=TIMEOUT)
    try:
        names, sizes = (("shard",), (shard,)) if copies == 1 else (("replicate", "shard"), (copies, shard))
        mesh = init_device_mesh(chosen.type, sizes, mesh_dim_names=names)
        groups = [distributed.new_group(backend="gloo", timeout=TIMEOUT) for _ in range(2)]
        world = World(distributed.get_rank(), size, chosen, mesh, *groups)
        yield world
        world.gather(None)  # nobody leaves while another still listens
    finally:
        distributed.destroy_process_group()


def _device(name: str) -> torch.device:
    has_cuda = torch.cuda.is_available()
    if name == "cuda" and not has_cuda:
        raise ValueError('[trainer] device = "cuda": this computer has no CUDA device; use "auto" or "cpu"')
    if name == "cpu" or not has_cuda:
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device
