"""A chunk's tokens divided among processes: each has the same patches of every latent frame, and all keys.

Knows nothing of blocks or models; talks to the other processes through torch.distributed.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed

from engine.caches.slot_cache import SlotCache
from engine.model.rope import rotate


class TokenSplit:
    """Which patches are this process's. Every process of the group makes the same calls in the same order."""

    def __init__(self, group: distributed.ProcessGroup | None = None) -> None:
        """`group` None = all processes there are."""
        self._group = group
        self.rank, self.processes = distributed.get_rank(group), distributed.get_world_size(group)

    def check(self, patches: int) -> None:
        """Raise ValueError when a latent frame's patches cannot be divided evenly."""
        if patches % self.processes:
            raise ValueError(
                f"{patches} patches of a latent frame cannot be divided among {self.processes} processes; choose "
                "another --size, or a number of processes that divides them"
            )

    def own(self, x: Tensor) -> Tensor:
        """Of tokens (B, F, P, ...) those of this process: (B, F, P / processes, ...)."""
        self.check(x.shape[2])
        return x.chunk(self.processes, dim=2)[self.rank].contiguous()

    def gather(self, x: Tensor) -> Tensor:
        """The tokens (B, F, P, ...) of all processes, from each one's share of them."""
        x = x.contiguous()
        parts = [torch.empty_like(x) for _ in range(self.processes)]
        distributed.all_gather(parts, x, group=self._group)
        return torch.cat(parts, dim=2)


class SplitMemory:
    """A cache that is asked by the share of tokens one process has; fulfils `AttentionMemory`."""

    def __init__(self, cache: SlotCache, split: TokenSplit) -> None:
        self._cache = cache
        self._split = split

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Write everybody's k, v (B, L / processes, N, D) and answer the own q over all that is held."""
        self.store(layer, k, v)
        table = self._framed(self._cache.current_slots(layer).table[None])
        own = self._split.own(table).flatten(1, 2)[0]
        return self._cache.answer(layer, rotate(q, own))

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Write everybody's k, v into the current chunk's slots."""
        both = self._split.gather(self._framed(torch.stack([k, v], dim=-2))).flatten(1, 2)
        self._cache.store(layer, *both.unbind(dim=-2))

    def _framed(self, x: Tensor) -> Tensor:
        """Tokens (B, L, ...) by latent frame: (B, F, L / F, ...)."""
        return x.unflatten(1, (self._cache.current_frames, -1))
