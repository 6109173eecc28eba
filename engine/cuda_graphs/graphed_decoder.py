"""A tiny autoencoder's decoding as recorded work: one graph per number of latent frames, one more for a stream's start.

What a stream carries stays a value: it is copied in before a repeat and out after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, empty_like

from engine.cuda_graphs.recorder import RecordedWork, Recorder
from engine.vae.frame_by_frame import FrameByFrame
from engine.vae.latents import EncoderState, StreamingAutoencoder
from engine.vae.tiny_vae import TinyVae, TinyVaeState


@dataclass
class _Buffers:
    latents: Tensor
    memory: tuple[Tensor, ...]  # of the state that goes in; empty at a stream's start
    made: list[Tensor] = field(default_factory=list)  # frames, then the state that comes out


class GraphedDecoder:
    """A `StreamingAutoencoder` around one whose states are `TinyVaeState`. Used by one thread."""

    def __init__(self, autoencoder: StreamingAutoencoder, work: RecordedWork) -> None:
        """`work` must share no recorder with work that runs at the same time."""
        self.autoencoder = autoencoder
        self._work = work
        self._buffers: dict[tuple, _Buffers] = {}

    def decode(self, latents: Tensor, state: TinyVaeState | None) -> tuple[Tensor, TinyVaeState]:
        """As `StreamingDecoder.decode`, to the bit."""
        if self._work.is_off:
            return self.autoencoder.decode(latents, state)
        memory = () if state is None else state.memory
        key = (tuple(latents.shape), *(tuple(part.shape) for part in memory))
        if key not in self._buffers:
            self._buffers[key] = _Buffers(empty_like(latents), tuple(empty_like(part) for part in memory))
        buffers = self._buffers[key]
        for place, given in zip((buffers.latents, *buffers.memory), (latents, *memory), strict=True):
            place.copy_(given)
        self._work.run(key, lambda: self._decode(buffers))
        frames, *after = (part.clone() for part in buffers.made)
        return frames, TinyVaeState(tuple(after))

    def encode(self, frames: Tensor, state: EncoderState | None) -> tuple[Tensor, EncoderState]:
        """As the autoencoder itself."""
        return self.autoencoder.encode(frames, state)

    def _decode(self, buffers: _Buffers) -> None:
        state = TinyVaeState(buffers.memory) if buffers.memory else None
        frames, after = self.autoencoder.decode(buffers.latents, state)
        made = (frames, *after.memory)
        if not buffers.made:  # the first time, which is never recorded
            buffers.made = [part.clone() for part in made]
            return
        for place, part in zip(buffers.made, made, strict=True):
            place.copy_(part)


def recorded_decoder(autoencoder: StreamingAutoencoder, recorder: Recorder | None) -> StreamingAutoencoder:
    """An autoencoder whose decoding is recorded, where there is a recorder and it is a tiny one; else as it is.

    The full one's kernels are long: nothing is won by recording them, and its state is gigabytes.
    """
    inner = autoencoder.autoencoder if isinstance(autoencoder, FrameByFrame) else autoencoder
    if recorder is None or not isinstance(inner, TinyVae):
        return autoencoder
    return GraphedDecoder(autoencoder, RecordedWork(recorder, "the decoder"))
