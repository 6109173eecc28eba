"""The clean pass of a finished chunk and the first step of the next one in a single pass of the transformer.

Layer by layer the finished chunk writes its keys and values and looks back, what must leave leaves, and the new chunk
looks back at all of that: what two passes do, in the order in which they do it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.caches.slot_cache import Place, Roll, SlotCache
from engine.model.attention import AttentionMemory
from engine.model.block import TextKeysValues
from engine.model.transformer import Modulations
from engine.model.vace import Guide
from engine.sampler import FlowModel


@dataclass(frozen=True)
class FoldedMemory:
    """What the queries of both chunks, the finished one's first, may see. Good for one pass."""

    cache: SlotCache
    finished: Place  # before the rolls
    rolls: tuple[Roll, ...]
    coming: Place  # after them

    @property
    def key(self) -> Hashable:
        """The same key is the same work at the same places."""
        return (self.finished, tuple(roll.key for roll in self.rolls), self.coming)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """As `AttentionMemory.attend`, for tokens (B, L, N, D) of both chunks."""
        count = self.finished.frames * self.cache.tokens_per_frame
        before = self.cache.attend_at(self.finished, layer, q[:, :count], k[:, :count], v[:, :count])
        for roll in self.rolls:
            roll.layer(layer)
        after = self.cache.attend_at(self.coming, layer, q[:, count:], k[:, count:], v[:, count:])
        return torch.cat([before, after], dim=1)

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Nothing only stores in such a pass."""
        raise AssertionError("a folded pass answers every layer")


def begin_folded(
    cache: SlotCache, frames: int, sink_mode: str, sink_decay: float, window_frames: int | None = None
) -> FoldedMemory:
    """Enter the next chunk of `frames` while the current one's clean pass is still to come.

    What leaves the window leaves within the folded pass. Raises ValueError as `SlotCache.begin_chunk` does.
    """
    finished = cache.place
    rolls = cache.plan_chunk(frames, sink_mode, sink_decay, window_frames)
    cache.enter_chunk(frames)
    return FoldedMemory(cache, finished, tuple(rolls), cache.place)


class FoldedStart:
    """A `FlowModel` whose first pass also is the clean pass of the chunk before; the later ones are the model's."""

    def __init__(self, model: FlowModel, finished: Tensor, memory: FoldedMemory, times: Tensor | Modulations) -> None:
        """`finished` are the latents (1, F, C, h, w) of the chunk before; `times` those of all frames of both."""
        self._times = times
        self._model = model
        self._finished = finished
        self._memory: FoldedMemory | None = memory

    def __call__(
        self,
        latents: Tensor,
        timesteps: Tensor | Modulations,
        text: list[TextKeysValues],
        memory: AttentionMemory,
        guide: Guide | None = None,
    ) -> Tensor:
        """As the model itself; the first pass takes no guide."""
        folded, self._memory = self._memory, None
        if folded is None:
            return self._model(latents, timesteps, text, memory, guide)
        assert guide is None, "a guided step is not folded"
        both = torch.cat([self._finished, latents], dim=1)
        return self._model(both, self._times, text, folded)[:, self._finished.shape[1] :]
