"""Decoding beside the transformer: ordered on a stream of its own, taken when the frames are there.

On a CPU an order is carried out at once. Knows nothing of chunks, rings or the transformer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.vae.frame_encoding import NotFiniteError, rgba_of
from engine.vae.latents import DecoderState, StreamingDecoder

FIRST = -1  # priority of the stream: the audience waits for it, nobody waits for what runs beside


@dataclass(frozen=True)
class OrderedFrames:
    """Frames on their way from the device."""

    state: DecoderState  # to decode what comes next
    _rgba: Tensor  # (T, H, W, 4) uint8 on the host; page-locked where it comes from a GPU
    _is_finite: Tensor  # one bool, likewise
    _there: torch.cuda.Event | None  # None = they are there

    def take(self) -> np.ndarray:
        """Frames (T, H, W, 4) uint8. The one place where a chunk waits for its device.

        Raises NotFiniteError when they cannot be shown. The memory goes back to PyTorch's page-locked pool, which
        hands it to a later chunk, when nobody holds the frames any more.
        """
        if self._there is not None:
            self._there.synchronize()
        if not self._is_finite.item():
            raise NotFiniteError("the model made values that are not numbers; the chunk is not shown")
        return self._rgba.numpy()


class DecodeStream:
    """Decodes what it is ordered to, in order. Used by the generator's thread."""

    def __init__(self, decoder: StreamingDecoder, device: torch.device) -> None:
        self._decoder = decoder
        self._stream = torch.cuda.Stream(device, priority=FIRST) if device.type == "cuda" else None

    @property
    def is_beside(self) -> bool:
        """Whether an order returns before it is carried out."""
        return self._stream is not None

    def order(self, latents: Tensor, state: DecoderState | None) -> OrderedFrames:
        """Have latents (1, F, C, h, w) that follow `state` decoded; None starts a stream."""
        if self._stream is None:
            rgba, is_finite, after = self._decode(latents, state)
            return OrderedFrames(after, rgba, is_finite, None)
        self._stream.wait_stream(torch.cuda.current_stream(latents.device))
        with torch.cuda.stream(self._stream):
            rgba, is_finite, after = self._decode(latents, state)
            if latents.device == self._stream.device:  # another device's are copied before its memory is used again
                latents.record_stream(self._stream)
            rgba, is_finite = _to_host(rgba), _to_host(is_finite)
            there = torch.cuda.Event(blocking=True)
            there.record()
        return OrderedFrames(after, rgba, is_finite, there)

    def _decode(self, latents: Tensor, state: DecoderState | None) -> tuple[Tensor, Tensor, DecoderState]:
        pixels, after = self._decoder.decode(latents, state)
        is_finite = torch.isfinite(latents).all().to(pixels.device) & torch.isfinite(pixels).all()
        return rgba_of(pixels[0]), is_finite, after


def _to_host(tensor: Tensor) -> Tensor:
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)
