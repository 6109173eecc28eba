"""Keys and values of all layers: a sink, a window that rolls, the chunk being made. Owned by the generator's thread.

Positions are slots in the window (0..window - 1) and Python integers: nothing here waits for the device. Keys are kept
before rotation, as published, and once more rotated for the slot they stand in.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.caches.ema_sink import ExactSink, fuse
from engine.caches.window import Window
from engine.model.attention import scaled_dot_product
from engine.model.config import ModelConfig
from engine.model.rope import rotate, rotation_table


class RollingCache(Window):
    """Rolling KV cache with EMA-Sink (Reward Forcing, arXiv:2512.04678). Allocated once; memory never grows.

    Whole groups of `sink_frames` leave the window, whatever the chunk size, and each is fused into the sink.
    """

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
    ) -> None:
        super().__init__(config)
        self.tokens_per_frame = config.tokens_per_frame(latent_height, latent_width)
        _, patch_height, patch_width = config.patch_size
        table_dtype = torch.complex128 if exact_rotation else torch.complex64
        self._table = rotation_table(
            config.window_frames,
            latent_height // patch_height,
            latent_width // patch_width,
            config.head_dim,
            table_dtype,
        ).to(device)
        shape = (batch, config.window_frames * self.tokens_per_frame, config.num_heads, config.head_dim)
        layers = range(config.num_layers)
        self.keys = [torch.zeros(shape, device=device, dtype=dtype) for _ in layers]  # (B, S, N, D) before rotation
        self.values = [torch.zeros(shape, device=device, dtype=dtype) for _ in layers]
        self._rotated = [torch.zeros(shape, device=device, dtype=dtype) for _ in layers]
        self._exact = [(ExactSink(), ExactSink()) for _ in layers]  # keys, values: only mode ema_fp32 fills them

    def reset(self) -> None:
        """Forget everything (hard cut). Old contents stay in memory and are never read."""
        super().reset()
        self._forget_exact()

    def restart_from_last(self) -> None:
        """Soft cut: the last group of frames becomes the sink, everything else is forgotten."""
        sink = self.config.sink_frames
        if self.filled_frames < sink:
            return
        self._move(self.filled_frames - sink, 0, sink)
        self.filled_frames = sink
        self.current_frames = 0
        self._forget_exact()
        self._rotate_slots(0, sink)

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
        self.check_chunk(frames)
        while self.filled_frames + frames > self.length(frames, window_frames):
            self._evict(sink_mode, sink_decay)
        self.enter_chunk(frames)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Write the current chunk's k, v (B, L, N, D) and answer q over sink, window and the chunk itself."""
        self.store(layer, k, v)
        end = self.filled_frames * self.tokens_per_frame
        start = self.first_slot * self.tokens_per_frame
        q = rotate(q, self._table[start:end])
        return scaled_dot_product(q, self._rotated[layer][:, :end], self.values[layer][:, :end])

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Write the current chunk's k (before rotation) and v (B, L, N, D) into its slots."""
        start = self.first_slot * self.tokens_per_frame
        end = self.filled_frames * self.tokens_per_frame
        self.keys[layer][:, start:end] = k
        self.values[layer][:, start:end] = v
        self._rotated[layer][:, start:end] = rotate(k, self._table[start:end])

    def _evict(self, sink_mode: str, sink_decay: float) -> None:
        group = self.config.sink_frames
        # as first released the newest group was fused and the oldest dropped unseen
        leaving = self.filled_frames - group if sink_mode == "as_released" else group
        if sink_mode != "static":
            self._fuse_group(leaving, sink_decay, exact=sink_mode == "ema_fp32")
        if sink_mode != "ema_fp32":
            self._forget_exact()
        self._move(2 * group, group, self.filled_frames - 2 * group)
        self.filled_frames -= group
        self._rotate_slots(0, self.filled_frames)

    def _fuse_group(self, first_frame: int, decay: float, *, exact: bool) -> None:
        sink = slice(0, self.config.sink_frames * self.tokens_per_frame)
        leaving = slice(
            first_frame * self.tokens_per_frame, (first_frame + self.config.sink_frames) * self.tokens_per_frame
        )
        for keys, values, (exact_keys, exact_values) in zip(self.keys, self.values, self._exact, strict=True):
            for tensor, shadow in ((keys, exact_keys), (values, exact_values)):
                blend = shadow.fuse if exact else fuse
                tensor[:, sink] = blend(tensor[:, sink], tensor[:, leaving], decay)

    def _move(self, source_frame: int, target_frame: int, frames: int) -> None:
        if frames < 1:
            return
        source = slice(source_frame * self.tokens_per_frame, (source_frame + frames) * self.tokens_per_frame)
        target = slice(target_frame * self.tokens_per_frame, (target_frame + frames) * self.tokens_per_frame)
        for tensor in (*self.keys, *self.values):
            tensor[:, target] = tensor[:, source].clone()  # source and target overlap

    def _rotate_slots(self, first_frame: int, frames: int) -> None:
        slots = slice(first_frame * self.tokens_per_frame, (first_frame + frames) * self.tokens_per_frame)
        for keys, rotated in zip(self.keys, self._rotated, strict=True):
            rotated[:, slots] = rotate(keys[:, slots], self._table[slots])

    def _forget_exact(self) -> None:
        for exact_keys, exact_values in self._exact:
            exact_keys.forget()
            exact_values.forget()
