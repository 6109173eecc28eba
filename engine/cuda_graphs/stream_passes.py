"""How one stream's passes of the transformer are made: recorded or as written, the clean pass alone or folded.

Knows nothing of prompts, inputs or pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from engine.acceleration import EXACT, Acceleration
from engine.caches.folded_pass import FoldedStart, begin_folded
from engine.caches.slot_cache import SlotCache
from engine.cuda_graphs.graphed_transformer import GraphedTransformer
from engine.cuda_graphs.recorder import RecordedWork, Recorder
from engine.kernels.choice import fused_kernels
from engine.model.block import TextKeysValues
from engine.model.transformer import CausalWanTransformer
from engine.params import ChunkParams
from engine.quantised.float8_cache import Float8SlotCache
from engine.sampler import CLEAN_TIMESTEP, FlowModel, clean_pass
from engine.schedule import Schedule


@dataclass(frozen=True)
class UnfinishedChunk:
    """Latents that have been shown but whose clean pass has not run: it can wait until the frames have left."""

    x0: Tensor  # (1, F, C, H, W)
    text: list[TextKeysValues]


class StreamPasses:
    """Of one stream, over its cache. Used by the generator's thread."""

    def __init__(
        self,
        model: CausalWanTransformer,
        latent_size: tuple[int, int],
        schedule: Schedule,
        recorder: Recorder | None,
        acceleration: Acceleration = EXACT,
    ) -> None:
        """`latent_size` is (height, width); without a recorder all is done as written."""
        weight = model.patch_embedding.weight
        kind = Float8SlotCache if acceleration.attention == "fp8" else SlotCache
        self.cache = kind(model.config, *latent_size, device=weight.device, dtype=weight.dtype)
        if kind is SlotCache and acceleration.fused and fused_kernels(weight.device) is not None:
            from engine.caches.triton_roll import roll_all

            self.cache.roll_all = roll_all
        self._schedule = schedule
        self._graphed: GraphedTransformer | None = None
        if recorder is not None:
            self._graphed = GraphedTransformer(model, self.cache, RecordedWork(recorder, "the transformer"))
        self._model: CausalWanTransformer | GraphedTransformer = self._graphed or model

    def begin_chunk(
        self,
        params: ChunkParams,
        frames: int,
        text: list[TextKeysValues],
        unfinished: UnfinishedChunk | None,
        *,
        folds_at: float | None,
    ) -> FlowModel:
        """Enter the next chunk of `frames` latent frames, made under `text` first; returns what makes its steps.

        A clean pass that has waited is made with the first step, which is at timestep `folds_at`; or now where that
        cannot be: under another prompt, or with None (a guide, or no steps).
        """
        how = (frames, params.sink_mode, params.sink_decay, params.window_frames)
        if unfinished is not None and text is unfinished.text and folds_at is not None:
            x0 = unfinished.x0
            times = self._schedule.times(x0, *[CLEAN_TIMESTEP] * x0.shape[1], *[folds_at] * frames)
            return FoldedStart(self._model, x0, begin_folded(self.cache, *how), times)
        self.finish(unfinished)
        self.cache.begin_chunk(*how)
        return self._model

    def finish(self, unfinished: UnfinishedChunk | None) -> None:
        """Make a clean pass, if there is one to make."""
        if unfinished is not None:
            times = self._schedule.times(unfinished.x0, CLEAN_TIMESTEP)
            clean_pass(self._model, self.cache, unfinished.text, unfinished.x0, times)

    def follow_weights(self) -> None:
        """After weights of the model changed."""
        if self._graphed is not None:
            self._graphed.follow_weights()
