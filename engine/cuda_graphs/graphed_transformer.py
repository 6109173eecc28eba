"""The transformer's passes over one stream as recorded work: one graph per place of a chunk, for all of its steps.

Latents, timesteps and the prompt's keys and values stand in buffers that are written between two repeats. So a prompt
changes between steps, any list of steps plays, and LoRAs are mixed into the weights without recording anything anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.caches.folded_pass import FoldedMemory
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.recorder import RecordedWork
from engine.model.attention import AttentionMemory
from engine.model.block import TextKeysValues
from engine.model.transformer import CausalWanTransformer, Modulations
from engine.model.vace import Guide


@dataclass(frozen=True)
class _Buffers:
    """Where a pass finds what it is given and leaves what it makes; (1, F, ...), never freed."""

    latents: Tensor
    timesteps: Tensor | Modulations
    flow: Tensor


class GraphedTransformer:
    """A `FlowModel` for one stream. What cannot be recorded (guides, other caches) goes to the model as it is."""

    def __init__(self, model: CausalWanTransformer, cache: SlotCache, work: RecordedWork) -> None:
        """`work` records the passes and, from now on, the cache's rolls."""
        self._model = model
        self._cache = cache
        self._work = work
        self._buffers: dict[tuple, _Buffers] = {}
        self._text: list[TextKeysValues] = []  # in buffers
        self._playing: list[TextKeysValues] | None = None  # what was written there last
        self._places = _addresses(model)
        cache.run = work.run

    def __call__(
        self,
        latents: Tensor,
        timesteps: Tensor | Modulations,
        text: list[TextKeysValues],
        memory: AttentionMemory,
        guide: Guide | None = None,
    ) -> Tensor:
        """As the model itself, to the bit."""
        if guide is not None or not self._can_record(memory, text):
            return self._model(latents, timesteps, text, memory, guide)
        buffers = self._take(latents, timesteps, text)
        rolls = memory.key if isinstance(memory, FoldedMemory) else None

        def work() -> None:
            buffers.flow.copy_(self._model(buffers.latents, buffers.timesteps, self._text, memory))

        self._work.run(("flow", self._cache.place, rolls, _kind(timesteps)), work)
        return buffers.flow.clone()

    def remember(
        self, latents: Tensor, timesteps: Tensor | Modulations, text: list[TextKeysValues], memory: AttentionMemory
    ) -> None:
        """As the model's own clean pass."""
        if not self._can_record(memory, text):
            self._model.remember(latents, timesteps, text, memory)
            return
        buffers = self._take(latents, timesteps, text)

        def work() -> None:
            self._model.remember(buffers.latents, buffers.timesteps, self._text, memory)

        self._work.run(("remember", self._cache.place, _kind(timesteps)), work)

    def follow_weights(self) -> None:
        """After weights changed: record anew where one was replaced by another, go on where it was written over."""
        places = _addresses(self._model)
        if places != self._places:
            self._places = places
            self._work.forget()

    def _can_record(self, memory: AttentionMemory, text: list[TextKeysValues]) -> bool:
        inner = memory.cache if isinstance(memory, FoldedMemory) else memory
        if inner is not self._cache or self._work.is_off:
            return False
        own = text[: self._model.config.num_layers]
        shapes = [(keys.shape, values.shape) for keys, values in own]
        return not self._text or shapes == [(keys.shape, values.shape) for keys, values in self._text]

    def _take(self, latents: Tensor, timesteps: Tensor | Modulations, text: list[TextKeysValues]) -> _Buffers:
        """Write what a pass is given into its buffers."""
        key = (latents.shape, _kind(timesteps))
        if key not in self._buffers:
            times = timesteps.packed() if isinstance(timesteps, Modulations) else torch.empty_like(timesteps)
            self._buffers[key] = _Buffers(torch.empty_like(latents), times, torch.empty_like(latents))
        buffers = self._buffers[key]
        buffers.latents.copy_(latents)
        buffers.timesteps.copy_(timesteps)
        if text is not self._playing:
            self._playing = text
            own = text[: self._model.config.num_layers]
            if not self._text:
                self._text = [(keys.clone(), values.clone()) for keys, values in own]
            for (keys, values), (new_keys, new_values) in zip(self._text, own, strict=True):
                keys.copy_(new_keys)
                values.copy_(new_values)
        return buffers


def _addresses(model: CausalWanTransformer) -> tuple[int, ...]:
    return tuple(held.data_ptr() for held in (*model.parameters(), *model.buffers()))


def _kind(timesteps: Tensor | Modulations) -> tuple[int, ...]:
    """Timesteps of another kind stand in other buffers: as numbers, or as constants for all frames or for each."""
    return (timesteps.head.frames,) if isinstance(timesteps, Modulations) else ()
