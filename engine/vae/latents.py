"""Latents: their scale, their geometry, and what every streaming autoencoder offers.

Latents are (B, F, C, h, w) and frames (B, T, 3, H, W) in [-1, 1] at every boundary of `engine.vae`.
Knows nothing of layers, weights or the transformer.
"""

from typing import Protocol

from torch import Tensor

LATENT_CHANNELS = 16  # Wan2.1 VAE
LATENT_STRIDE = 8  # pixels per latent pixel, Wan2.1 VAE
FRAMES_PER_LATENT = 4  # frames per latent frame, except the first of a stream, which is one frame

# Mean and standard deviation of the encoder's mu per channel: the transformer works on (mu - mean) / std.
LATENT_MEAN = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
LATENT_STD = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip


class DecoderState(Protocol):
    """What a decoder carries to its next chunk. Opaque: only the decoder that made it reads it."""


class EncoderState(Protocol):
    """What an encoder carries to its next chunk. Opaque: only the encoder that made it reads it."""


class StreamingDecoder(Protocol):
    """Turns latents into frames, chunk after chunk."""

    def decode(self, latents: Tensor, state: DecoderState | None) -> tuple[Tensor, DecoderState]:
        """Decode latents (B, F, C, h, w) that follow `state`; None starts a stream.

        Returns frames (B, T, 3, H, W) in [-1, 1] and the state for the next call. States are values: the one
        passed in stays valid, so a stream can be continued twice from the same point.
        """
        ...


class StreamingEncoder(Protocol):
    """Turns frames into latents, chunk after chunk."""

    def encode(self, frames: Tensor, state: EncoderState | None) -> tuple[Tensor, EncoderState]:
        """Encode frames (B, T, 3, H, W) in [-1, 1] that follow `state`; None starts a stream.

        Returns latents (B, F, C, h, w) at the transformer's scale and the state for the next call.
        Raises ValueError when the number of frames does not fill whole latent frames.
        """
        ...


class StreamingAutoencoder(StreamingDecoder, StreamingEncoder, Protocol):
    """Both ways: what a stream is decoded with also reads given frames."""


def to_model_scale(mu: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return the transformer's latents for the encoder's `mu`; `mean` and `std` broadcast over the channels.

    The reciprocal is rounded on its own, because in bfloat16 the published weights saw (mu - mean) * (1 / std).
    """
    return (mu - mean) * (1.0 / std)


def to_decoder_scale(latents: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return the decoder's input for the transformer's latents: the inverse of `to_model_scale`.

    A division by the rounded reciprocal, not a product with `std`: the two differ in bfloat16.
    """
    return latents / (1.0 / std) + mean


def frame_count(latent_frames: int, is_start: bool) -> int:
    """Return how many frames `latent_frames` decode to; at the start of a stream the first one gives one frame."""
    if latent_frames < 1:
        raise ValueError(f"{latent_frames} latent frames decode to nothing; at least 1 is needed")
    frames = FRAMES_PER_LATENT * latent_frames
    return frames - (FRAMES_PER_LATENT - 1) if is_start else frames
