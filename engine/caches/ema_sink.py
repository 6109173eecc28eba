"""EMA-Sink: a fading memory of what has left the attention window. Knows nothing of attention, layers or positions."""

from __future__ import annotations

import torch
from torch import Tensor


def fuse(sink: Tensor, evicted: Tensor, decay: float) -> Tensor:
    """sink <- decay * sink + (1 - decay) * evicted, in the tensors' own dtype (Reward Forcing, arXiv:2512.04678).

    In bfloat16 at decay 0.999 the first product rounds back to the sink: this is what the published model plays with.
    """
    if sink.shape != evicted.shape:
        raise ValueError(f"the sink holds {sink.shape[1]} tokens, {evicted.shape[1]} leave the window")
    return decay * sink + (1 - decay) * evicted


class ExactSink:
    """The same average kept in float32 beside the cache, so that it moves whatever the cache's dtype is."""

    def __init__(self) -> None:
        self._memory: Tensor | None = None  # (B, S, N, D) float32

    def fuse(self, sink: Tensor, evicted: Tensor, decay: float) -> Tensor:
        """Blend in the tokens that leave; return the sink in its own dtype. The first call starts from `sink`."""
        if self._memory is None:
            self._memory = sink.float()
        self._memory = fuse(self._memory, evicted.float(), decay)
        return self._memory.to(sink.dtype)

    def forget(self) -> None:
        """Start from the sink given next."""
        self._memory = None

    @property
    def memory(self) -> Tensor | None:
        """The float32 average, or None before the first group left the window."""
        return self._memory if self._memory is None else torch.clone(self._memory)
