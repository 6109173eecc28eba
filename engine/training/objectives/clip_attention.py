"""Attention over a whole clip at once: of all frames to all, or of chunks to what they see in a stream.

Keeps nothing between calls. Knows nothing of losses.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.model.attention import FullAttention, scaled_dot_product
from engine.model.config import ModelConfig
from engine.model.rope import rotate, rotation_table


def everything(config: ModelConfig, latents: Tensor) -> FullAttention:
    """Every frame of latents (B, F, C, h, w) sees every other: the transformer as it was before it was made causal."""
    table = rotation_table(latents.shape[1], *_grid(config, latents), config.head_dim)
    return FullAttention(table.to(latents.device))


class ChunkAttention:
    """Chunks see the sink, the rest of their window and themselves, at the slots they stand at in a stream.

    Every chunk sees the others as they are given, noisy: for regression, where no clean history exists.
    """

    def __init__(self, config: ModelConfig, latents: Tensor, chunk_frames: int = 0) -> None:
        """For latents (B, F, C, h, w) of whole chunks; raises ValueError for others."""
        self._size = chunk_frames or config.chunk_frames
        frames = latents.shape[1]
        if frames % self._size:
            raise ValueError(f"{frames} latent frames are no whole number of chunks of {self._size}")
        grid = _grid(config, latents)
        self._tokens = grid[0] * grid[1]
        self._table = rotation_table(min(config.window_frames, frames), *grid, config.head_dim).to(latents.device)
        self._seen = [_seen(config, end, self._size) for end in range(self._size, frames + 1, self._size)]

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Answer q (B, L, N, D) chunk by chunk: a plain call each, no mask over the whole clip."""
        q, k, v = (x.unflatten(1, (-1, self._tokens)) for x in (q, k, v))  # (B, F, P, N, D)
        answers = []
        for number, seen in enumerate(self._seen):
            first = number * self._size
            table = self._table[: len(seen) * self._tokens]
            own = q[:, first : first + self._size].flatten(1, 2)
            answers.append(
                scaled_dot_product(
                    rotate(own, table[-own.shape[1] :]),
                    rotate(k[:, seen].flatten(1, 2), table),
                    v[:, seen].flatten(1, 2),
                )
            )
        return torch.cat(answers, dim=1)

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Keep nothing."""


def _seen(config: ModelConfig, end: int, chunk_frames: int) -> list[int]:
    """Frames in the window when the chunk that ends at `end` is made: whole groups of sink length have left."""
    sink, window = config.sink_frames, config.window_frames
    left, filled = sink, 0
    for _ in range(0, end, chunk_frames):
        while filled + chunk_frames > window:
            left, filled = left + sink, filled - sink
        filled += chunk_frames
    return [*range(min(sink, end)), *range(left, end)]


def _grid(config: ModelConfig, latents: Tensor) -> tuple[int, int]:
    config.tokens_per_frame(*latents.shape[-2:])  # raises when patches do not divide it
    _, patch_height, patch_width = config.patch_size
    return latents.shape[-2] // patch_height, latents.shape[-1] // patch_width
