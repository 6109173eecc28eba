"""Teacher forcing with a guide: the clean history is read once without one, then every chunk is denoised over it.

Chunks stand side by side in the batch, as if each were the one being played, so that a guide sees its own chunk
alone. Equals the streaming cache on the same frames. Knows nothing of data or optimisers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.model.attention import scaled_dot_product
from engine.model.block import TextKeysValues
from engine.model.config import ModelConfig
from engine.model.rope import rotate, rotation_table
from engine.model.transformer import CausalWanTransformer
from engine.training.teacher_forcing import Layout


class HistoryMemory:
    """Keys and values of clean chunks, each seeing itself and what is before it; nothing in them has a gradient."""

    def __init__(
        self, config: ModelConfig, layout: Layout, latent_size: tuple[int, int], device: torch.device | str = "cpu"
    ) -> None:
        """`latent_size` is (height, width)."""
        tokens = config.tokens_per_frame(*latent_size)
        _, patch_height, patch_width = config.patch_size
        grid = (latent_size[0] // patch_height, latent_size[1] // patch_width)
        self.layout = layout
        self.chunk_tokens = layout.chunk_frames * tokens
        self.table = rotation_table(layout.window_frames, *grid, config.head_dim).to(device)
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}  # by layer: rotated keys, values (B, S, N, D)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Answer q (B, L, N, D) chunk by chunk, and keep k and v."""
        self.store(layer, k, v)
        keys, values = self.kept[layer]
        q = rotate(q, self.table[: q.shape[1]])
        ends = range(self.chunk_tokens, q.shape[1] + 1, self.chunk_tokens)
        answers = [
            scaled_dot_product(q[:, end - self.chunk_tokens : end], keys[:, :end], values[:, :end]) for end in ends
        ]
        return torch.cat(answers, dim=1)

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Keep k and v."""
        self.kept[layer] = rotate(k, self.table[: k.shape[1]]), v


class ChunkMemory:
    """Attention of noisy chunks (chunks * B, L, N, D), chunk by chunk: each sees the history before it and itself."""

    def __init__(self, history: HistoryMemory) -> None:
        self._history = history

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Answer the queries of all chunks."""
        history, answers = self._history, []
        before_keys, before_values = history.kept[layer]
        per_chunk = zip(*(x.chunk(history.layout.chunks) for x in (q, k, v)), strict=True)
        for number, (own_q, own_k, own_v) in enumerate(per_chunk):
            start = number * history.chunk_tokens
            table = history.table[start : start + history.chunk_tokens]
            keys = torch.cat((before_keys[:, :start].to(own_k.dtype), rotate(own_k, table)), dim=1)
            values = torch.cat((before_values[:, :start].to(own_v.dtype), own_v), dim=1)
            answers.append(scaled_dot_product(rotate(own_q, table), keys, values))
        return torch.cat(answers)

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Keep nothing: there is no next pass."""


def side_by_side(window: Tensor, layout: Layout) -> Tensor:
    """A window (B, F, ..) as chunks in the batch (chunks * B, f, ..), chunk by chunk."""
    return torch.cat(window.split(layout.chunk_frames, dim=1))


@torch.no_grad()
def read_history(
    model: CausalWanTransformer, history: Tensor, text: list[TextKeysValues], layout: Layout
) -> HistoryMemory:
    """The clean pass over history (B, H, C, h, w), as live: at timestep 0, without a guide."""
    memory = HistoryMemory(model.config, layout, (history.shape[-2], history.shape[-1]), history.device)
    model.remember(history, torch.zeros(history.shape[:2], device=history.device), text, memory)
    return memory
