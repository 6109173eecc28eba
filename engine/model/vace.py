"""VACE: blocks beside the transformer's own that read a context of pictures and give hints to its layers.

Streaming form: a chunk's frames and its references see each other and nothing else, and nothing is kept.
Knows nothing of how a context is made, or of when a stream is guided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.kernels.shaping import Folded
from engine.model.attention import AttentionMemory, FullAttention
from engine.model.block import Block, TextKeysValues, Time6
from engine.model.config import ModelConfig
from engine.model.rope import rotation_table


@dataclass(frozen=True)
class Guide:
    """What guides one denoising step. All frames are latent frames; `scales` 0 = that layer gets no hint.

    The references stand in the context's first frames and not in the latents; none = latents and context are alike.
    """

    context: Tensor  # (B or 1, R + F, vace_in_dim, h, w): inactive 16, reactive 16, mask 64 channels
    memory: AttentionMemory  # of the VACE blocks, for R + F frames
    scales: float | tuple[float, ...] = 1.0  # one for all VACE layers, or one each
    reference_frames: int = 0  # R

    def layer_scales(self, layers: int) -> tuple[float, ...]:
        """A scale per VACE layer. Raises ValueError for another number of them."""
        scales = self.scales if isinstance(self.scales, tuple) else (self.scales,) * layers
        if len(scales) != layers:
            raise ValueError(f"{len(scales)} scales are given for {layers} VACE layers")
        return scales


class VaceBlock(Block):
    """A block with a projection of its outcome, the hint; the first one projects the context before it, too."""

    def __init__(self, config: ModelConfig, number: int) -> None:
        """`number` counts VACE blocks from 0."""
        super().__init__(config, number)
        if number == 0:
            self.before_proj = nn.Linear(config.dim, config.dim)
        self.after_proj = nn.Linear(config.dim, config.dim)

    def forward(
        self,
        c: Tensor,
        time6: Time6,
        text: TextKeysValues,
        memory: AttentionMemory,
        references: int = 0,
        start: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """c (B, R + F, P, E) -> c for the next block, and the hint (B, F, P, E) for what follows R references.

        The first block is given `start` (B, R + F, P, E), to which the projected context is added.
        """
        if start is not None:
            c = self.before_proj(c) + start
        c = super().forward(c, time6, text, memory)
        return c, self.after_proj(c[:, references:])


def hints(
    blocks: nn.ModuleList,
    context: Tensor,
    x: Tensor,
    time6: Tensor | Sequence[Folded],
    text: list[TextKeysValues],
    guide: Guide,
) -> Iterator[Tensor | None]:
    """Yield each VACE layer's scaled hint (B, F, P, E) for the chunk's tokens x (B, F, P, E); None where it is off.

    `time6` (B, F or 1, 6, E), or each block's own.

    `context` (B or 1, R + F, P, E) is `guide.context` embedded; one of fewer frames ends in zero tokens. A block runs
    when its hint is asked for, the blocks after the last one that counts do not.
    """
    scales = guide.layer_scales(len(blocks))
    references = guide.reference_frames
    absent = references + x.shape[1] - context.shape[1]
    if absent < 0:
        raise ValueError(
            f"a context of {context.shape[1]} frames is longer than {references} references and {x.shape[1]} frames"
        )
    c = functional.pad(context, (0, 0, 0, 0, 0, absent))
    # the references are not in the latents: nothing is added to them, and they are as noisy as the first frame
    start = functional.pad(x, (0, 0, 0, 0, references, 0))
    times = [_with_references(time6, references)] * len(blocks) if isinstance(time6, Tensor) else time6
    for number, (block, text_kv, scale, time) in enumerate(zip(blocks, text, scales, times, strict=True)):
        if not any(scales[number:]):
            yield None
            continue
        if isinstance(time, Folded):
            time = Folded(_with_references(time.rows, references))
        c, hint = block(c, time, text_kv, guide.memory, references, start if number == 0 else None)
        yield hint * scale if scale else None


def _with_references(rows: Tensor, references: int) -> Tensor:
    """Rows (B, F or 1, 6, E) for R + F frames."""
    if references and rows.shape[1] > 1:
        return torch.cat([rows[:, :1].expand(-1, references, -1, -1), rows], dim=1)
    return rows


def streaming_attention(
    config: ModelConfig, frames: int, latent_size: tuple[int, int], device: torch.device
) -> FullAttention:
    """Memory of the VACE blocks for `frames` = R + F at positions 0.., `latent_size` (height, width).

    Nothing is kept between calls: one object serves every chunk and step of the same shape.
    """
    config.tokens_per_frame(*latent_size)  # raises when patches do not divide it
    _, patch_height, patch_width = config.patch_size
    grid = latent_size[0] // patch_height, latent_size[1] // patch_width
    return FullAttention(rotation_table(frames, *grid, config.head_dim).to(device))
