"""The causal Wan transformer: latents, timesteps and a prompt in, flow out. Every size and variant is this class.

Knows nothing of sampling, of what leaves the window, or of checkpoint files; state dict keys are the original Wan's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.kernels.shaping import Folded
from engine.model.attention import AttentionMemory
from engine.model.block import Block, TextKeysValues, Time6
from engine.model.config import ModelConfig
from engine.model.embeddings import Head, sinusoid
from engine.model.vace import Guide, VaceBlock, hints


@dataclass(frozen=True)
class Modulations:
    """All that the network takes from a timestep: constants of every layer. Fixed tensors, which may be copied into."""

    blocks: tuple[Folded, ...]  # each (B, F or 1, 6, E)
    vace: tuple[Folded, ...]
    head: Folded  # (B, F or 1, 2, E)
    memory: Tensor | None = None  # all of it, where it lies in one piece

    def packed(self) -> Modulations:
        """A copy that lies in one piece of memory."""
        rows = [folded.rows for folded in (*self.blocks, *self.vace, self.head)]
        memory = torch.cat([part.flatten() for part in rows])
        parts = memory.split([part.numel() for part in rows])
        folded = [Folded(part.view_as(like)) for part, like in zip(parts, rows, strict=True)]
        blocks = len(self.blocks)
        return Modulations(tuple(folded[:blocks]), tuple(folded[blocks:-1]), folded[-1], memory)

    def copy_(self, other: Modulations) -> None:
        """Take over the values of another timestep of the same shape: what a recorded graph reads stays in place.

        Both must be packed: it is one copy.
        """
        assert self.memory is not None and other.memory is not None, "only packed modulations are copied"
        self.memory.copy_(other.memory)


class CausalWanTransformer(nn.Module):
    """Wan2.1 T2V with a timestep per latent frame (arXiv:2512.04678; Self-Forcing arXiv:2506.08009).

    With `config.vace_layers` it has VACE's blocks too (arXiv:2503.07598), which run when a guide is given.
    """

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
        self.vace_blocks = nn.ModuleList(VaceBlock(config, number) for number in range(len(config.vace_layers)))
        if config.vace_layers:
            self.vace_patch_embedding = nn.Conv3d(config.vace_in_dim, dim, config.patch_size, config.patch_size)

    def encode_text(self, prompt_embeds: Tensor) -> list[TextKeysValues]:
        """Prompt embeddings (B, text_len, text_dim) -> keys and values per layer, good while the prompt stands.

        Those of the blocks come first, then those of the VACE blocks. Rows past the prompt's end are zeros and are
        attended to like any other: there is no mask (Wan2.1).
        """
        context = self.text_embedding(prompt_embeds)
        return [block.prompt_keys_values(context) for block in (*self.blocks, *self.vace_blocks)]

    def embed_time(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """Timesteps (B, F or 1) in 0..1000 -> embedding (B, F, E) and its projection (B, F, 6, E)."""
        dtype = self.time_embedding[0].weight.dtype
        time = self.time_embedding(sinusoid(timesteps, self.config.freq_dim).to(dtype))
        return time, self.time_projection(time).unflatten(-1, (6, -1))

    def embed_patches(self, latents: Tensor) -> Tensor:
        """Latents (B, F, C, H, W) -> tokens (B, F, P, E), row by row."""
        return _tokens(self.patch_embedding, latents)

    def unpatch(self, patches: Tensor, latent_height: int, latent_width: int) -> Tensor:
        """Patches (B, F, P, ph * pw * C), channel fastest -> latents (B, F, C, H, W)."""
        _, patch_height, patch_width = self.config.patch_size
        batch, frames = patches.shape[:2]
        grid = (latent_height // patch_height, latent_width // patch_width)
        x = patches.reshape(batch, frames, *grid, patch_height, patch_width, self.config.out_dim)
        return x.permute(0, 1, 6, 2, 4, 3, 5).reshape(batch, frames, self.config.out_dim, latent_height, latent_width)

    def forward(
        self,
        latents: Tensor,
        timesteps: Tensor | Modulations,
        text: list[TextKeysValues],
        memory: AttentionMemory,
        guide: Guide | None = None,
    ) -> Tensor:
        """Flow prediction v = noise - x0 for latents (B, F, C, H, W) at timesteps (B, F), or (B, 1) for all frames.

        Without a guide, or with scales of 0, the VACE blocks do not run. Raises ValueError where there are none.
        """
        time, times, vace_times = self._times(timesteps)
        x = self.embed_patches(latents)
        hint_of = self._hints(guide, x, vace_times, text)
        for block, text_kv, time6 in zip(self.blocks, self._own(text), times, strict=True):
            x = block(x, time6, text_kv, memory)
            if block.layer in hint_of and (hint := next(hint_of[block.layer])) is not None:
                x = x + hint
        return self.unpatch(self.head(x, time), *latents.shape[-2:])

    def remember(
        self,
        latents: Tensor,
        timesteps: Tensor | Modulations,
        text: list[TextKeysValues],
        memory: AttentionMemory,
    ) -> None:
        """Run only for keys and values (the clean pass): the last block stops after them and the head is skipped.

        Nothing guides it: what later chunks look back at are the keys and values of the model itself.
        """
        _, times, _ = self._times(timesteps)
        x = self.embed_patches(latents)
        for block, text_kv, time6 in zip(self.blocks[:-1], self._own(text)[:-1], times[:-1], strict=True):
            x = block(x, time6, text_kv, memory)
        self.blocks[-1].store(x, times[-1], memory)

    def fold(self, timesteps: Tensor) -> Modulations:
        """The constants of timesteps (B, F or 1), good while the weights stay as they are; the same to the bit."""
        time, time6 = self.embed_time(timesteps)
        return Modulations(
            tuple(block.fold(time6) for block in self.blocks),
            tuple(block.fold(time6) for block in self.vace_blocks),
            self.head.fold(time),
        )

    def _times(
        self, timesteps: Tensor | Modulations
    ) -> tuple[Tensor | Folded, Sequence[Time6], Tensor | Sequence[Folded]]:
        """What the head, each block and the VACE blocks take of a timestep."""
        if isinstance(timesteps, Modulations):
            return timesteps.head, timesteps.blocks, timesteps.vace
        time, time6 = self.embed_time(timesteps)
        return time, [time6] * len(self.blocks), time6

    def _own(self, text: list[TextKeysValues]) -> list[TextKeysValues]:
        """Keys and values of the blocks themselves."""
        return text[: self.config.num_layers]

    def _hints(
        self, guide: Guide | None, x: Tensor, time6: Tensor | Sequence[Folded], text: list[TextKeysValues]
    ) -> dict[int, Iterator[Tensor | None]]:
        """Hints by layer, each made when it is asked for; empty when nothing guides."""
        layers = self.config.vace_layers
        if guide is None:
            return {}
        if not layers:
            raise ValueError("a guide is given to a model without VACE layers")
        if not any(guide.layer_scales(len(layers))):
            return {}
        context = _tokens(self.vace_patch_embedding, guide.context)
        made = hints(self.vace_blocks, context, x, time6, text[self.config.num_layers :], guide)
        return dict.fromkeys(layers, made)


def _tokens(embedding: nn.Conv3d, latents: Tensor) -> Tensor:
    """Latents (B, F, C, H, W) -> tokens (B, F, P, E), row by row."""
    x = embedding(latents.permute(0, 2, 1, 3, 4))  # (B, E, F, H / 2, W / 2)
    # contiguous: every later sum would keep the convolution's channel-first strides, and each norm would copy
    return x.flatten(3).permute(0, 2, 3, 1).contiguous()


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


@torch.no_grad()
def initialise_vace(model: CausalWanTransformer, generator: torch.Generator) -> None:
    """Fresh VACE weights for training: each block begins as the layer it hints to, its projections as zeros.

    So training begins at the model itself (arXiv:2503.07598). Raises ValueError for a model without VACE layers.
    """
    if not model.config.vace_layers:
        raise ValueError("the model has no VACE layers to initialise")
    nn.init.xavier_uniform_(model.vace_patch_embedding.weight.flatten(1), generator=generator)
    nn.init.zeros_(model.vace_patch_embedding.bias)
    for block, layer in zip(model.vace_blocks, model.config.vace_layers, strict=True):
        block.load_state_dict(model.blocks[layer].state_dict(), strict=False)
        for projection in [block.after_proj, *([block.before_proj] if block.layer == 0 else [])]:
            nn.init.zeros_(projection.weight)
            nn.init.zeros_(projection.bias)
