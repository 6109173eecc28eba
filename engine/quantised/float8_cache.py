"""The slots of a stream whose attention is in float8: the keys that are seen, and values, in one byte a number.

What rolls and fades into the sink stays wide. History is narrowed once per chunk, as it takes its place.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.caches.slot_cache import Place, SlotCache
from engine.kernels.shaping import FLOAT8
from engine.model.config import ModelConfig
from engine.model.rope import rotate
from engine.quantised.attention import attend_float8, to_float8

ALIGNED_TOKENS = 128


class Float8SlotCache(SlotCache):
    """As `SlotCache`, but what attention reads is float8."""

    def __init__(
        self,
        config: ModelConfig,
        latent_height: int,
        latent_width: int,
        *,
        batch: int = 1,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(config, latent_height, latent_width, batch=batch, device=device, dtype=dtype)
        self._rotated = torch.zeros_like(self._keys, dtype=FLOAT8)
        layers, _, tokens, heads, width = self._keys.shape
        # tokens innermost: a float8 product reads both factors along what is summed; rows begin at even places
        room = -(-tokens // ALIGNED_TOKENS) * ALIGNED_TOKENS
        self._values8 = torch.zeros(layers, batch, heads, width, room, dtype=FLOAT8, device=device)

    def attend_at(self, place: Place, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """As `attend`, for a chunk that stands elsewhere."""
        self._write(place, layer, k, v)
        return self._answer(place, layer, rotate(q, self.slots_at(place, layer).table))

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Write the current chunk's k (before rotation) and v (B, L, N, D) into its slots."""
        self._write(self.place, layer, k, v)

    def _write(self, place: Place, layer: int, k: Tensor, v: Tensor) -> None:
        slots = self.slots_at(place, layer)
        slots.keys.copy_(k)
        slots.values.copy_(v)
        slots.rotated.copy_(to_float8(rotate(k, slots.table)))

    def _answer(self, place: Place, layer: int, rotated_q: Tensor) -> Tensor:
        # a clean pass writes the last layer's values and answers nothing: they are narrowed when they are next seen
        is_last = layer == self.config.num_layers - 1
        self._narrow_values(layer, 0 if is_last else place.first_frame, place.end)
        end = place.end * self.tokens_per_frame
        values = self._values8[layer, ..., :end].permute(0, 3, 1, 2)
        q = rotated_q if rotated_q.dtype == FLOAT8 else to_float8(rotated_q)
        return attend_float8(q, self._rotated[layer, :, :end], values, self._keys.dtype)

    def _rotate(self, layer: int, first_frame: int, frames: int) -> None:
        if frames > 0:
            slots = self._tokens(first_frame, frames)
            turned = rotate(self._keys[layer, :, slots], self._table[slots])
            self._rotated[layer, :, slots].copy_(to_float8(turned))
            self._narrow_values(layer, first_frame, first_frame + frames)

    def _narrow_values(self, layer: int, first_frame: int, end_frame: int) -> None:
        slots = self._tokens(first_frame, end_frame - first_frame)
        narrow = to_float8(self._values[layer, :, slots])  # (B, S, N, D)
        self._values8[layer, ..., slots].copy_(narrow.permute(0, 2, 3, 1))
