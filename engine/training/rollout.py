"""Streams a model makes while it is trained: the sampler and the cache that play live, with gradients where asked.

Shared by the objectives that learn from their own streams. Knows nothing of scores, rewards or optimisers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.caches.ema_sink import fuse
from engine.caches.rolling_cache import RollingCache
from engine.model.attention import scaled_dot_product
from engine.model.block import TextKeysValues
from engine.model.rope import rotate
from engine.model.transformer import CausalWanTransformer
from engine.model.vace import Guide
from engine.sampler import clean_pass, denoise_chunk
from engine.schedule import Schedule

LayerGraph = tuple[Tensor, Tensor]  # of keys before rotation and values: zeros whose gradient goes to who made them


@dataclass(frozen=True)
class RolloutPlan:
    """How a stream is made: `timesteps` are warped, 0..1000, falling; steps are counted from 0.

    Every chunk ends at step `exit_step`, one for all chunks and ranks (arXiv:2506.08009); -1 = the last. The last
    `grad_chunks` chunks keep a graph at `grad_steps` (empty = the exit step); 0 chunks = no graph at all, -1 = all.
    """

    timesteps: tuple[float, ...]
    exit_step: int = -1
    grad_chunks: int = -1
    grad_steps: tuple[int, ...] = ()
    stops_inputs: bool = False  # no gradient from a step into the one before (DRTune, arXiv:2405.00760)
    is_detached: bool = True  # no gradient from a chunk into the ones before it
    chunk_frames: int = 0  # latent frames; 0 = the model's own
    sink_mode: str = "static"  # as published; "parity_bf16" or "ema_fp32" update the sink while training too
    sink_decay: float = 0.999

    @property
    def last_step(self) -> int:
        """Index of the exit step."""
        return self.exit_step % len(self.timesteps)


def roll_out(model: CausalWanTransformer, text: list[TextKeysValues], noise: Tensor, plan: RolloutPlan) -> Tensor:
    """Stream of `noise` (steps, B, F, C, h, w) as the instrument makes it: x0 (B, F, C, h, w).

    noise[0] is what chunks begin with, noise[i] what they are re-noised with before step i. F must be whole chunks
    (ValueError). `text` is `model.encode_text(..)`: with a graph where it is trained too.
    """
    frames, config = noise.shape[2], model.config
    size = plan.chunk_frames or config.chunk_frames
    if frames % size:
        raise ValueError(f"{frames} latent frames are no whole number of chunks of {size}")
    chunks = frames // size
    graded = chunks if plan.grad_chunks < 0 else plan.grad_chunks
    cache = GraphCache(config, *noise.shape[-2:], batch=noise.shape[1], device=noise.device, dtype=noise.dtype)
    schedule, made = Schedule(config.timestep_shift), []
    for number, own in enumerate(noise[: plan.last_step + 1].split(size, dim=2)):
        cache.begin_chunk(size, plan.sink_mode, plan.sink_decay)
        is_graded = torch.is_grad_enabled() and number >= chunks - graded
        memory = ChunkMemory(cache, is_graded)
        with torch.set_grad_enabled(is_graded):
            flow = GradedFlow(model, plan)
            steps = plan.timesteps[: plan.last_step + 1]
            *_, last = denoise_chunk(flow, memory, text, own[0], list(own[1:]), steps, schedule)
        made.append(last.x0)
        if number + 1 < chunks:
            with torch.no_grad():
                clean_pass(model, cache, text, last.x0.detach())
            if not plan.is_detached:
                cache.remember_graph(memory.made)
    return torch.cat(made, dim=1)


class GradedFlow:
    """The model as the sampler calls it, with a graph at the planned steps only. One per chunk."""

    def __init__(self, model: CausalWanTransformer, plan: RolloutPlan) -> None:
        self._model = model
        self._steps = plan.grad_steps or (plan.last_step,)
        self._stops_inputs = plan.stops_inputs
        self._step = 0

    def __call__(
        self,
        x: Tensor,
        timesteps: Tensor,
        text: list[TextKeysValues],
        memory: ChunkMemory,
        guide: Guide | None = None,
    ) -> Tensor:
        """Flow of x; the next call is the next step."""
        is_graded = torch.is_grad_enabled() and self._step in self._steps
        self._step += 1
        with torch.set_grad_enabled(is_graded):
            return self._model(x.detach() if self._stops_inputs else x, timesteps, text, memory, guide)


class ChunkMemory:
    """What one chunk attends to: the cache itself without a graph, a copy of what is before the chunk with one.

    The copy is what a recomputation in the backward pass sees too, when the cache has long moved on.
    """

    def __init__(self, cache: GraphCache, is_graded: bool) -> None:
        self._cache = cache
        self._table = cache.own_table
        # at once, not in the blocks: what a block computes must be the same when it is computed again
        self._before = [cache.before(layer) for layer in range(cache.config.num_layers)] if is_graded else []
        self.made: dict[int, tuple[Tensor, Tensor]] = {}  # keys before rotation and values of the graded step

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Answer q (B, L, N, D) over sink, window and the chunk itself."""
        if not torch.is_grad_enabled():
            return self._cache.attend(layer, q, k, v)
        self.made.setdefault(layer, (k, v))
        keys, values = self._before[layer]
        keys = torch.cat((keys.to(k.dtype), rotate(k, self._table)), dim=1)
        return scaled_dot_product(rotate(q, self._table), keys, torch.cat((values.to(v.dtype), v), dim=1))

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Keep nothing: the clean pass goes to the cache itself."""


class GraphCache(RollingCache):
    """The cache of a stream whose chunks may pass gradients back to the chunks before them.

    Values are those of the clean pass, as live; gradients go to the keys and values of the chunk's graded step, as
    published. A graph is kept as zeros with a gradient, so that it moves and fades as what it belongs to does.
    """

    _graph: dict[int, LayerGraph] | None = None

    @property
    def own_table(self) -> Tensor:
        """Rotation of the current chunk's slots."""
        return self._table[self._start : self.filled_frames * self.tokens_per_frame]

    def before(self, layer: int) -> tuple[Tensor, Tensor]:
        """Copies of rotated keys and of values of all slots before the current chunk."""
        keys, values = self._rotated[layer][:, : self._start].clone(), self.values[layer][:, : self._start].clone()
        if self._graph is None:
            return keys, values
        key_graph, value_graph = (graph[:, : self._start] for graph in self._graph[layer])
        return keys + rotate(key_graph, self._table[: self._start]).to(keys.dtype), values + value_graph

    def remember_graph(self, made: dict[int, tuple[Tensor, Tensor]]) -> None:
        """Let later chunks pass gradients to these keys and values of the current chunk; {} = none to pass."""
        if not made and self._graph is None:
            return
        old, self._graph = self._graph, {}
        for layer in range(self.config.num_layers):
            own = made.get(layer) or (self.keys[layer][:, self._start : self._end],) * 2
            past = old[layer] if old else (self.keys[layer][:, : self._start].detach() * 0.0,) * 2
            pairs = zip(past, own, strict=True)
            self._graph[layer] = tuple(torch.cat((before, k - k.detach()), dim=1) for before, k in pairs)

    def _evict(self, sink_mode: str, sink_decay: float) -> None:
        super()._evict(sink_mode, sink_decay)
        if self._graph is None:
            return
        group = self.config.sink_frames * self.tokens_per_frame
        for layer, graphs in self._graph.items():
            self._graph[layer] = tuple(_evicted(graph, group, sink_mode, sink_decay) for graph in graphs)

    @property
    def _start(self) -> int:
        return self.first_slot * self.tokens_per_frame

    @property
    def _end(self) -> int:
        return self.filled_frames * self.tokens_per_frame


def _evicted(graph: Tensor, group: int, sink_mode: str, decay: float) -> Tensor:
    """What is left of a graph (B, S, N, D) when a group of tokens leaves: the sink takes its share of them."""
    sink = graph[:, :group]
    leaving = graph[:, -group:] if sink_mode == "as_released" else graph[:, group : 2 * group]
    if sink_mode != "static":
        sink = fuse(sink, leaving, decay)
    return torch.cat((sink, graph[:, 2 * group :]), dim=1)
