"""Frames of the two masked streams to latents, each with its own encoder state, in step with the stream they guide.

Knows nothing of masks, parameters or the transformer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.vace.state import MaskedStream
from engine.vae.frame_encoding import encode_live
from engine.vae.latents import FRAMES_PER_LATENT, LATENT_STRIDE, EncoderState, StreamingEncoder, frame_count

# Latent frames after which mid grey is encoded to the same numbers for good. An encoder is causal and looks back a
# finite time: the Wan autoencoder's 9 convolutions at 1/4 of the rate, 4 at 1/2 and 9 at the full rate two steps
# each, 29 latent frames in all; TAEHV's 6 memory blocks at 1/4 and 3 at 1/2 of the rate one step each, 8.
SETTLED = 32
REBUILT = 3  # latent frames of mid grey an encoder is shown where its state was not kept


class BlankLatents:
    """Mid grey, encoded once: what a stream without a picture guides with. One for all streams of a generator.

    Exact, not an estimate: an encoder's latents depend on its weights and on the frames it has been shown, and here
    all of these are mid grey, so they depend on nothing but how many there were; from `SETTLED` on not even on that.
    """

    def __init__(
        self, encoder: StreamingEncoder, latent_size: tuple[int, int], device: torch.device, dtype: torch.dtype
    ) -> None:
        """`latent_size` is (height, width)."""
        self._encoder = encoder
        self._size = latent_size[0] * LATENT_STRIDE, latent_size[1] * LATENT_STRIDE
        self._device, self._dtype = device, dtype
        self._latents: list[Tensor] = []  # by place in the stream, each (1, 1, C, h, w)
        self._state: EncoderState | None = None  # of the encoder after all of them

    def take(self, place: int, count: int) -> Tensor:
        """Latents (1, count, C, h, w) of mid grey where `place` latent frames of it went before."""
        missing = min(place + count, SETTLED + 1) - len(self._latents)
        if missing > 0:
            frames = self.frames(frame_count(missing, is_start=not self._latents))
            latents, self._state = self._encoder.encode(frames, self._state)
            self._latents += latents.split(1, dim=1)
        return torch.cat([self._latents[min(place + step, SETTLED)] for step in range(count)], dim=1)

    def state_after(self, place: int) -> EncoderState:
        """State of an encoder that was shown `place` latent frames (1..) of mid grey.

        Exact where it is the newest, or settled; else that of an encoder which saw the last `REBUILT` only.
        """
        known = len(self._latents)
        if place == known or (place >= SETTLED and known > SETTLED):
            return self._state
        _, state = self._encoder.encode(self.frames(frame_count(min(place, REBUILT), is_start=True)), None)
        return state

    def frames(self, count: int) -> Tensor:
        """Mid grey as frames (1, count, 3, H, W)."""
        return torch.zeros(1, count, 3, *self._size, device=self._device, dtype=self._dtype)


class MaskedEncoder:
    """Encodes masked streams chunk by chunk. Belongs to the thread that plays."""

    def __init__(
        self, encoder: StreamingEncoder, latent_size: tuple[int, int], device: torch.device, dtype: torch.dtype
    ) -> None:
        """`latent_size` is (height, width)."""
        self._encoder = encoder
        self._dtype = dtype
        self._blanks = BlankLatents(encoder, latent_size, device, dtype)

    def encode(self, stream: MaskedStream, frames: Tensor | None, latents: int, *, is_start: bool) -> Tensor:
        """Latents (1, F, C, h, w) of a chunk's frames (1, T, 3, H, W) in [-1, 1]; None = all of them mid grey.

        At a stream's start T is 1 + 4(F - 1), later 4F. A stream that comes in later is first shown the chunk's first
        frame alone (its latent is dropped), so that every latent stands for the frames it guides.
        """
        if frames is None:
            return self._encode_blank(stream, latents, is_start=is_start)
        if stream.encoder is None and stream.blank:
            stream.encoder = self._blanks.state_after(stream.blank)
        stream.blank = 0
        made, stream.encoder = encode_live(self._encoder, frames.to(self._dtype), stream.encoder, is_start=is_start)
        return made

    def blank_frames(self, count: int) -> Tensor:
        """Mid grey as frames (1, count, 3, H, W)."""
        return self._blanks.frames(count)

    def encode_picture(self, picture: Tensor) -> Tensor:
        """Latent (1, 1, C, h, w) of one picture (3, H, W) in [-1, 1] by itself."""
        return self._encoder.encode(picture[None, None].to(self._dtype), None)[0]

    def _encode_blank(self, stream: MaskedStream, latents: int, *, is_start: bool) -> Tensor:
        if stream.encoder is None:
            place = max(stream.blank, 0 if is_start else 1)
            stream.blank = min(place + latents, SETTLED)
            return self._blanks.take(place, latents)
        grey = self._blanks.frames(FRAMES_PER_LATENT * latents)
        made, stream.encoder = self._encoder.encode(grey, stream.encoder)
        stream.blank += latents
        if stream.blank >= SETTLED:  # whatever was seen before has been forgotten
            stream.encoder, stream.blank = None, SETTLED
        return made
