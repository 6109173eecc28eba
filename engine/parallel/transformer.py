"""The transformer over several processes: each computes its share of the tokens through all layers.

Per layer one exchange (keys and values), and one of the finished patches; linear layers and attention take a share of
the time each. Weights and keys are held by every process: this makes a model faster, not smaller.
"""

from __future__ import annotations

from torch import Tensor, nn

from engine.caches.slot_cache import SlotCache
from engine.model.attention import AttentionMemory
from engine.model.block import TextKeysValues
from engine.model.transformer import CausalWanTransformer, Modulations
from engine.model.vace import Guide
from engine.parallel.token_split import SplitMemory, TokenSplit


class ParallelTransformer(CausalWanTransformer):
    """The same weights, in every process of a group; all make the same calls with the same latents.

    Guided chunks, and those over another memory than `SlotCache`, are computed whole by each.
    """

    def __init__(self, model: CausalWanTransformer, split: TokenSplit) -> None:
        """`model` is used up, not copied."""
        nn.Module.__init__(self)
        self.config = model.config
        for name, part in model.named_children():
            self.register_module(name, part)
        self._split = split
        self.train(model.training)

    def forward(
        self,
        latents: Tensor,
        timesteps: Tensor | Modulations,
        text: list[TextKeysValues],
        memory: AttentionMemory,
        guide: Guide | None = None,
    ) -> Tensor:
        """As `CausalWanTransformer.forward`: the whole flow, in every process. Raises as `TokenSplit.check`."""
        if guide is not None or not isinstance(memory, SlotCache):
            return super().forward(latents, timesteps, text, memory, guide)
        time, times, _ = self._times(timesteps)
        x = self._split.own(self.embed_patches(latents))
        shared = SplitMemory(memory, self._split)
        for block, text_kv, time6 in zip(self.blocks, self._own(text), times, strict=True):
            x = block(x, time6, text_kv, shared)
        return self.unpatch(self._split.gather(self.head(x, time)), *latents.shape[-2:])

    def remember(
        self,
        latents: Tensor,
        timesteps: Tensor | Modulations,
        text: list[TextKeysValues],
        memory: AttentionMemory,
    ) -> None:
        """As `CausalWanTransformer.remember`."""
        if not isinstance(memory, SlotCache):
            super().remember(latents, timesteps, text, memory)
            return
        _, times, _ = self._times(timesteps)
        x = self._split.own(self.embed_patches(latents))
        shared = SplitMemory(memory, self._split)
        for block, text_kv, time6 in zip(self.blocks[:-1], self._own(text)[:-1], times[:-1], strict=True):
            x = block(x, time6, text_kv, shared)
        self.blocks[-1].store(x, times[-1], shared)
