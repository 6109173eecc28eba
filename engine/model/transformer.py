"""The causal Wan transformer: latents, timesteps and a prompt in, flow out. Every size and variant is this class.

Knows nothing of sampling, of what leaves the window, or of checkpoint files; state dict keys are the original Wan's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from engine.model.attention import AttentionMemory
from engine.model.block import Block, TextKeysValues
from engine.model.config import ModelConfig
from engine.model.embeddings import Head, sinusoid


class CausalWanTransformer(nn.Module):
    """Wan2.1 T2V with a timestep per latent frame (arXiv:2512.04678; Self-Forcing arXiv:2506.08009)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        self.patch_embedding = nn.Conv3d(config.in_dim, dim, config.patch_size, config.patch_size)
        self.text_embedding = nn.Sequential(
            nn.Linear(config.text_dim, dim), nn.GELU(approximate="tanh"), nn.Linear(dim, dim)
        )
        self.time_embedding = nn.Sequential(nn.Linear(config.freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.num_layers))
        self.head = Head(dim, config.out_dim * math.prod(config.patch_size), config.eps)

    def encode_text(self, prompt_embeds: Tensor) -> list[TextKeysValues]:
        """Prompt embeddings (B, text_len, text_dim) -> keys and values per layer, good while the prompt stands.

        Rows past the prompt's end are zeros and are attended to like any other: there is no mask (Wan2.1).
        """
        context = self.text_embedding(prompt_embeds)
        return [block.prompt_keys_values(context) for block in self.blocks]

    def embed_time(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """Timesteps (B, F or 1) in 0..1000 -> embedding (B, F, E) and its projection (B, F, 6, E)."""
        dtype = self.time_embedding[0].weight.dtype
        time = self.time_embedding(sinusoid(timesteps, self.config.freq_dim).to(dtype))
        return time, self.time_projection(time).unflatten(-1, (6, -1))

    def embed_patches(self, latents: Tensor) -> Tensor:
        """Latents (B, F, C, H, W) -> tokens (B, F, P, E), row by row."""
        x = self.patch_embedding(latents.permute(0, 2, 1, 3, 4))  # (B, E, F, H / 2, W / 2)
        # contiguous: every later sum would keep the convolution's channel-first strides, and each norm would copy
        return x.flatten(3).permute(0, 2, 3, 1).contiguous()

    def unpatch(self, patches: Tensor, latent_height: int, latent_width: int) -> Tensor:
        """Patches (B, F, P, ph * pw * C), channel fastest -> latents (B, F, C, H, W)."""
        _, patch_height, patch_width = self.config.patch_size
        batch, frames = patches.shape[:2]
        grid = (latent_height // patch_height, latent_width // patch_width)
        x = patches.reshape(batch, frames, *grid, patch_height, patch_width, self.config.out_dim)
        return x.permute(0, 1, 6, 2, 4, 3, 5).reshape(batch, frames, self.config.out_dim, latent_height, latent_width)

    def forward(
        self, latents: Tensor, timesteps: Tensor, text: list[TextKeysValues], memory: AttentionMemory
    ) -> Tensor:
        """Flow prediction v = noise - x0 for latents (B, F, C, H, W) at timesteps (B, F), or (B, 1) for all frames."""
        time, time6 = self.embed_time(timesteps)
        x = self.embed_patches(latents)
        for block, text_kv in zip(self.blocks, text, strict=True):
            x = block(x, time6, text_kv, memory)
        return self.unpatch(self.head(x, time), *latents.shape[-2:])

    def remember(self, latents: Tensor, timesteps: Tensor, text: list[TextKeysValues], memory: AttentionMemory) -> None:
        """Run only for keys and values (the clean pass): the last block stops after them and the head is skipped."""
        _, time6 = self.embed_time(timesteps)
        x = self.embed_patches(latents)
        for block, text_kv in zip(self.blocks[:-1], text[:-1], strict=True):
            x = block(x, time6, text_kv, memory)
        self.blocks[-1].store(x, time6, memory)


def initialise(model: CausalWanTransformer, generator: torch.Generator) -> None:
    """Fresh weights for training: Xavier for projections, zeros for the head's projection (Wan2.1's own start)."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)
    nn.init.xavier_uniform_(model.patch_embedding.weight.flatten(1), generator=generator)
    nn.init.zeros_(model.patch_embedding.bias)
    for projection in (
        model.text_embedding[0],
        model.text_embedding[2],
        model.time_embedding[0],
        model.time_embedding[2],
    ):
        nn.init.normal_(projection.weight, std=0.02, generator=generator)
    nn.init.zeros_(model.head.head.weight)
