"""Keys and values of all layers in slots that never move: sink, what came before, the chunk being made.

What is done to them is what `RollingCache` does, bit for bit; here nothing is allocated, and a slot is rotated once per
chunk. Every address is fixed and every decision made from whole numbers, so that the work can be recorded once and
repeated by the device alone. Owned by the generator's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.caches.window import Window
from engine.model.attention import scaled_dot_product
from engine.model.config import ModelConfig
from engine.model.rope import rotate, rotation_table

Work = Callable[[], None]
Run = Callable[[Hashable, Work], None]  # does work on the device; the same key means the same work at the same places


def run_now(_key: Hashable, work: Work) -> None:
    """Do it at once, as written."""
    work()


@dataclass(frozen=True)
class Place:
    """Where a chunk stands in the window. The same place means the same addresses."""

    first_frame: int  # slot of its first latent frame
    frames: int

    @property
    def end(self) -> int:
        """Frames held, the chunk included."""
        return self.first_frame + self.frames


@dataclass(frozen=True)
class SlotBuffers:
    """All that a roll reads and writes, for a kernel that does all layers at once."""

    keys: Tensor  # (layers, B, S, N, D) before rotation
    rotated: Tensor  # likewise
    values: Tensor
    exact: Tensor | None  # (2, layers, B, slot, N, D) float32: keys and values of the exact sink, where there is one
    table: Tensor  # (S, D / 2) complex
    shares: Tensor  # (2) of the sink, and of what it takes in


# (buffers, tokens held, tokens of a slot, mode of the sink, whether the exact sink begins) -> whether it was done
RollAll = Callable[[SlotBuffers, int, int, str, bool], bool]


@dataclass(frozen=True)
class CurrentSlots:
    """Where the chunk being made is written in one layer, for a kernel that writes it itself; views, never copies."""

    keys: Tensor  # (B, L, N, D) before rotation
    rotated: Tensor  # (B, L, N, D)
    values: Tensor  # (B, L, N, D)
    table: Tensor  # (L, D / 2) complex


class SlotCache(Window):
    """Rolling KV cache with EMA-Sink (Reward Forcing, arXiv:2512.04678). Allocated once; memory never grows."""

    def __init__(
        self,
        config: ModelConfig,
        latent_height: int,
        latent_width: int,
        *,
        batch: int = 1,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        exact_rotation: bool = False,
        run: Run = run_now,
    ) -> None:
        """`run` does what is done to the slots between chunks; whoever records work puts a recorder there."""
        super().__init__(config)
        self.tokens_per_frame = config.tokens_per_frame(latent_height, latent_width)
        _, patch_height, patch_width = config.patch_size
        grid = (latent_height // patch_height, latent_width // patch_width)
        table_dtype = torch.complex128 if exact_rotation else torch.complex64
        self._table = rotation_table(config.window_frames, *grid, config.head_dim, table_dtype).to(device)
        tokens = config.window_frames * self.tokens_per_frame
        shape = (config.num_layers, batch, tokens, config.num_heads, config.head_dim)
        self._keys = torch.zeros(shape, device=device, dtype=dtype)
        self._values, self._rotated = torch.zeros_like(self._keys), torch.zeros_like(self._keys)
        self.keys, self.values = list(self._keys.unbind()), list(self._values.unbind())  # (B, S, N, D) per layer
        wide = torch.promote_types(dtype, torch.float32)
        self._shares = torch.zeros(2, device=device, dtype=wide)  # of the sink, and of what is fused into it
        self._decay: float | None = None  # that _shares hold
        self._exact: Tensor | None = None  # (2, layers, B, sink, N, D) float32: only mode ema_fp32 has it
        self._is_exact = False  # whether it holds the sink that plays
        self._slots: dict[tuple[Place, int], CurrentSlots] = {}  # views made so far: few places, and each stays
        self.run = run
        self.roll_all: RollAll | None = None  # a kernel that rolls all layers at once, where there is one

    @property
    def place(self) -> Place:
        """Where the current chunk stands."""
        return Place(self.first_slot, self.current_frames)

    def reset(self) -> None:
        """Forget everything (hard cut). Old contents stay in memory and are never read."""
        super().reset()
        self._is_exact = False

    def restart_from_last(self) -> None:
        """Soft cut: the last group of frames becomes the sink, everything else is forgotten."""
        sink = self.config.sink_frames
        if self.filled_frames < sink:
            return
        source = self.filled_frames - sink

        def work() -> None:
            for layer in range(self.config.num_layers):
                self._move(layer, source, 0, sink)
                self._rotate(layer, 0, sink)

        self.run(("restart", source), work)
        self.filled_frames, self.current_frames, self._is_exact = sink, 0, False

    def begin_chunk(
        self,
        frames: int,
        sink_mode: str = "parity_bf16",
        sink_decay: float = 0.999,
        window_frames: int | None = None,
    ) -> None:
        """Make room for a chunk of `frames` latent frames; what leaves the window is fused into the sink.

        Once per chunk, before its first forward. `window_frames` shortens the model's own window for this chunk, to no
        less than sink and chunk. Raises ValueError when the chunk would break a group in two.
        """
        for roll in self.plan_chunk(frames, sink_mode, sink_decay, window_frames):
            self.run(roll.key, roll.all_layers)
        self.enter_chunk(frames)

    def plan_chunk(
        self, frames: int, sink_mode: str, sink_decay: float, window_frames: int | None = None
    ) -> list[Roll]:
        """What must leave before a chunk can be entered, in order; the caller does it. Raises as `begin_chunk` does."""
        self.check_chunk(frames)
        filled, rolls = self.filled_frames, []
        while filled + frames > self.length(frames, window_frames):
            rolls.append(self._roll(sink_mode, filled))
            filled -= self.config.sink_frames
        if rolls:
            self._set_decay(sink_decay)
        self.filled_frames = filled
        return rolls

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Write the current chunk's k, v (B, L, N, D) and answer q over sink, window and the chunk itself."""
        return self.attend_at(self.place, layer, q, k, v)

    def attend_at(self, place: Place, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """As `attend`, for a chunk that stands elsewhere."""
        slots = self.slots_at(place, layer)
        _write(slots, k, v)
        return self._answer(place, layer, rotate(q, slots.table))

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Write the current chunk's k (before rotation) and v (B, L, N, D) into its slots."""
        _write(self.current_slots(layer), k, v)

    def current_slots(self, layer: int) -> CurrentSlots:
        """Where keys and values of the current chunk belong, for a kernel that writes them itself."""
        return self.slots_at(self.place, layer)

    def answer(self, layer: int, rotated_q: Tensor) -> Tensor:
        """Answer q (B, L, N, D), already rotated, over all that is held; the current slots must have been written."""
        return self._answer(self.place, layer, rotated_q)

    def slots_at(self, place: Place, layer: int) -> CurrentSlots:
        """Where keys and values of a chunk belong."""
        if (place, layer) not in self._slots:
            at = self._tokens(place.first_frame, place.frames)
            self._slots[place, layer] = CurrentSlots(
                self._keys[layer, :, at], self._rotated[layer, :, at], self._values[layer, :, at], self._table[at]
            )
        return self._slots[place, layer]

    def _answer(self, place: Place, layer: int, rotated_q: Tensor) -> Tensor:
        end = place.end * self.tokens_per_frame
        return scaled_dot_product(rotated_q, self._rotated[layer, :, :end], self._values[layer, :, :end])

    def _tokens(self, first_frame: int, frames: int) -> slice:
        return slice(first_frame * self.tokens_per_frame, (first_frame + frames) * self.tokens_per_frame)

    def _set_decay(self, decay: float) -> None:
        if decay != self._decay:
            self._decay = decay
            self._shares[0].fill_(decay)
            self._shares[1].fill_(1 - decay)

    def _roll(self, mode: str, filled: int) -> Roll:
        begins_exact = mode == "ema_fp32" and not self._is_exact
        if mode == "ema_fp32" and self._exact is None:
            sink = self._keys[:, :, self._tokens(0, self.config.sink_frames)]
            self._exact = torch.zeros((2, *sink.shape), device=sink.device, dtype=torch.float32)
        self._is_exact = mode == "ema_fp32"
        return Roll(self, mode, filled, begins_exact)

    def roll_at_once(self, mode: str, filled: int, begins_exact: bool) -> bool:
        """`roll_layer` on all layers by the kernel that is there for it; False without one, and nothing is done."""
        if self.roll_all is None:
            return False
        buffers = SlotBuffers(self._keys, self._rotated, self._values, self._exact, self._table, self._shares)
        tokens = filled * self.tokens_per_frame
        return self.roll_all(buffers, tokens, self.config.sink_frames * self.tokens_per_frame, mode, begins_exact)

    def roll_layer(self, layer: int, mode: str, filled: int, begins_exact: bool) -> None:
        """One group leaves one layer of `filled` frames: the sink takes it in, later groups step down a slot."""
        group = self.config.sink_frames
        # as first released the newest group was fused and the oldest dropped unseen
        leaving = self._tokens(filled - group if mode == "as_released" else group, group)
        sink = self._tokens(0, group)
        if mode != "static":
            for which, held in enumerate((self._keys, self._values)):
                if mode == "ema_fp32":
                    self._fuse_exactly(which, layer, held[layer, :, sink], held[layer, :, leaving], begins_exact)
                else:
                    self._fuse(held[layer, :, sink], held[layer, :, leaving])
            self._rotate(layer, 0, group)
        left = filled - 2 * group
        for first in range(0, left, group):  # a slot's length at a time: source and target never overlap
            self._move(layer, 2 * group + first, group + first, min(group, left - first))
        self._rotate(layer, group, left)

    def _fuse(self, sink: Tensor, leaving: Tensor) -> None:
        # each product rounded to the cache's own type, as published: in bfloat16 at 0.999 the sink hardly moves
        kept, taken = (
            part.to(self._shares.dtype) * share for part, share in zip((sink, leaving), self._shares, strict=True)
        )
        sink.copy_(kept.to(sink.dtype) + taken.to(sink.dtype))

    def _fuse_exactly(self, which: int, layer: int, sink: Tensor, leaving: Tensor, begins: bool) -> None:
        memory = self._exact[which, layer]
        if begins:
            memory.copy_(sink)
        keep, take = self._shares.float()
        memory.copy_(memory * keep + leaving.float() * take)
        sink.copy_(memory)

    def _move(self, layer: int, source_frame: int, target_frame: int, frames: int) -> None:
        if frames > 0 and source_frame != target_frame:
            source, target = self._tokens(source_frame, frames), self._tokens(target_frame, frames)
            for held in (self._keys, self._values):
                held[layer, :, target].copy_(held[layer, :, source])

    def _rotate(self, layer: int, first_frame: int, frames: int) -> None:
        if frames > 0:
            slots = self._tokens(first_frame, frames)
            self._rotated[layer, :, slots].copy_(rotate(self._keys[layer, :, slots], self._table[slots]))


def _write(slots: CurrentSlots, k: Tensor, v: Tensor) -> None:
    slots.keys.copy_(k)
    slots.values.copy_(v)
    slots.rotated.copy_(rotate(k, slots.table))


@dataclass(frozen=True)
class Roll:
    """One group of frames that leaves the window, layer by layer or all at once."""

    cache: SlotCache
    mode: str  # of the sink
    filled: int  # frames held before it
    begins_exact: bool  # the float32 sink starts from the one that plays

    @property
    def key(self) -> Hashable:
        """Names the work: the same key is the same work at the same places."""
        return ("roll", self.mode, self.filled, self.begins_exact)

    def layer(self, layer: int) -> None:
        """Let it leave one layer."""
        self.cache.roll_layer(layer, self.mode, self.filled, self.begins_exact)

    def all_layers(self) -> None:
        """Let it leave all of them."""
        if self.cache.roll_at_once(self.mode, self.filled, self.begins_exact):
            return
        for layer in range(self.cache.config.num_layers):
            self.layer(layer)
