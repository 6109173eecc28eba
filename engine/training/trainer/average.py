"""The moving average of a module's weights, shard by shard: nothing is gathered, one call updates all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from engine.training.trainer.sharding import local, release


class Average:
    """float32 copies of what requires grad. Until the first `update` past the start they are the weights."""

    def __init__(self, module: nn.Module, keep: float) -> None:
        self._module = module
        self._keep = keep
        self._named = {name: p for name, p in module.named_parameters() if p.requires_grad}
        with torch.no_grad():
            self.weights: dict[str, Tensor] = {name: p.detach().clone() for name, p in self._named.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take one optimiser step's weights in."""
        torch._foreach_lerp_(self._mine(), self._theirs(), 1.0 - self._keep)

    @torch.no_grad()
    def restart(self) -> None:
        """Become the weights as they are."""
        torch._foreach_copy_(self._mine(), self._theirs())

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """The module holds its average meanwhile."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        release(self._module)  # weights gathered before are the others
        kept = [mine.clone() for mine in self._mine()]
        torch._foreach_copy_(self._mine(), self._theirs())
        torch._foreach_copy_(self._theirs(), kept)

    def _mine(self) -> list[Tensor]:
        return [local(weight) for weight in self.weights.values()]

    def _theirs(self) -> list[Tensor]:
        return [local(p.detach()) for p in self._named.values()]
