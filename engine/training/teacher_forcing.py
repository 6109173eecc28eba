"""Teacher forcing in one pass: clean history and noisy chunks packed into one sequence, without a mask tensor.

Equals the streaming cache on the same frames. Knows nothing of data or optimisers.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from engine.model.config import ModelConfig
from engine.model.rope import rotation_table
from engine.model.transformer import CausalWanTransformer

WRITTEN_OUT_TOKENS = 640  # keys; nine latent frames of 160x96 have 540


@dataclass(frozen=True)
class Layout:
    """A window of whole chunks: latent frames 0..window-chunk-1 as clean history, and every chunk again as noisy."""

    window_frames: int = 9
    chunk_frames: int = 3

    @property
    def history_frames(self) -> int:
        """Clean latent frames: all but the last chunk."""
        return self.window_frames - self.chunk_frames

    @property
    def chunks(self) -> int:
        """Noisy chunks."""
        return self.window_frames // self.chunk_frames

    @property
    def slots(self) -> list[int]:
        """Slot in the window of every packed latent frame."""
        return [*range(self.history_frames), *range(self.window_frames)]


class PackedAttention:
    """Attention of a packed sequence: clean chunks see what is clean up to themselves, noisy ones what is clean before.

    One plain attention call per chunk; the sequence is [history | noisy window], frame by frame.
    """

    def __init__(
        self,
        config: ModelConfig,
        layout: Layout,
        latent_height: int,
        latent_width: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self._layout = layout
        self._tokens = config.tokens_per_frame(latent_height, latent_width)
        _, patch_height, patch_width = config.patch_size
        grid = (latent_height // patch_height, latent_width // patch_width)
        table = rotation_table(layout.window_frames, *grid, config.head_dim).to(device)
        table = table.unflatten(0, (layout.window_frames, self._tokens))[layout.slots].flatten(0, 1)[:, None]
        self._cosine, self._sine = table.real.contiguous(), table.imag.contiguous()  # (L, 1, D / 2)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Answer all packed queries q (B, L, N, D)."""
        q, k, v = (x.transpose(1, 2) for x in (self._rotate(q), self._rotate(k), v))  # (B, N, L, D)
        chunk = self._layout.chunk_frames * self._tokens
        history = self._layout.history_frames * self._tokens
        answers = [
            _attention(q[:, :, end - chunk : end], k[:, :, :end], v[:, :, :end])
            for end in range(chunk, history + 1, chunk)
        ]
        for before in range(0, history + 1, chunk):
            own = slice(history + before, history + before + chunk)
            keys = torch.cat((k[:, :, :before], k[:, :, own]), dim=2)
            values = torch.cat((v[:, :, :before], v[:, :, own]), dim=2)
            answers.append(_attention(q[:, :, own], keys, values))
        return torch.cat(answers, dim=2).transpose(1, 2)

    def store(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Keep nothing: there is no next pass."""

    def _rotate(self, x: Tensor) -> Tensor:
        # the same numbers as engine.model.rope.rotate, in real arithmetic: compilers do not fuse complex numbers
        even, odd = x.float().unflatten(-1, (-1, 2)).unbind(dim=-1)
        turned = (even * self._cosine - odd * self._sine, even * self._sine + odd * self._cosine)
        return torch.stack(turned, dim=-1).flatten(-2).to(x.dtype)


def _attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(D)) v for (B, N, L, D): written out where the score matrix is small enough for caches.

    On CPUs the fused kernel's backward pass takes twice as long there, and less than half as long elsewhere.
    """
    if k.shape[2] > WRITTEN_OUT_TOKENS:
        return functional.scaled_dot_product_attention(q, k, v)
    weights = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return weights.float().softmax(dim=-1).to(v.dtype) @ v


def pack(history: Tensor, noisy: Tensor, timesteps: Tensor) -> tuple[Tensor, Tensor]:
    """Join history (B, H, C, h, w) and noisy window (B, W, C, h, w) at timesteps (B, W); history is at timestep 0."""
    clean = torch.zeros(history.shape[:2], device=timesteps.device)
    return torch.cat((history, noisy), dim=1), torch.cat((clean, timesteps), dim=1)


def packed_flow(
    model: CausalWanTransformer, history: Tensor, noisy: Tensor, timesteps: Tensor, text: Tensor, layout: Layout
) -> Tensor:
    """Flow of the noisy window (B, W, C, h, w) in float32; `text` are prompt embeddings."""
    memory = PackedAttention(model.config, layout, *noisy.shape[-2:], device=noisy.device)
    frames, times = pack(history, noisy, timesteps)
    flow = model(frames, times, model.encode_text(text), memory)
    return flow[:, layout.history_frames :].float()


def flow_to_x0(noisy: Tensor, flow: Tensor, timesteps: Tensor) -> Tensor:
    """Return x0 = x - sigma v for frames (B, W, C, h, w) with a timestep each (B, W)."""
    return noisy - (timesteps / 1000.0)[:, :, None, None, None] * flow


def any_timesteps(shape: tuple[int, ...], shift: float, generator: torch.Generator) -> Tensor:
    """Draw timesteps in 20..1000, as often as the shifted schedule visits them."""
    u = torch.rand(shape, generator=generator)
    return (1000.0 * shift * u / (1.0 + (shift - 1.0) * u)).clamp(20.0, 1000.0)


def add_noise(x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """Return (1 - sigma) x0 + sigma noise for frames (B, W, C, h, w), sigma = timestep / 1000 (rectified flow)."""
    sigma = (timesteps / 1000.0)[:, :, None, None, None]
    return torch.lerp(x0, noise, sigma)
