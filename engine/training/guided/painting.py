"""Streams guided by the edges of a bank's clips, painted while a branch learns. Knows nothing of losses."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from engine.caches.rolling_cache import RollingCache
from engine.model.block import TextKeysValues
from engine.model.transformer import CausalWanTransformer
from engine.model.vace import Guide, streaming_attention
from engine.model_presets import ModelPreset
from engine.sampler import StepChanges, clean_pass, denoise_chunk
from engine.schedule import PUBLISHED_STEPS, Schedule
from engine.training.guided.bank import VaceBank
from engine.training.guided.samples import prompt_of
from engine.training.objectives.models import load_pixels
from engine.training.objectives.texts import Texts
from engine.vace.context import join
from engine.vace.mask import pack

CLIPS = 4  # the first of the bank


@torch.no_grad()
def guided_stream(
    model: CausalWanTransformer,
    text: list[TextKeysValues],
    context: Tensor,
    generator: torch.Generator,
    scale: float = 1.0,
) -> Tensor:
    """A stream as the instrument makes it, guided by context (B, F, 96, h, w): x0 (B, F, C, h, w), F whole chunks."""
    config, size = model.config, (context.shape[-2], context.shape[-1])
    schedule = Schedule(config.timestep_shift)
    steps = schedule.warp(PUBLISHED_STEPS)
    device = model.patch_embedding.weight.device
    cache = RollingCache(config, *size, batch=len(context), device=device)
    memory = streaming_attention(config, config.chunk_frames, size, device)
    made = []
    for part in context.split(config.chunk_frames, dim=1):
        guide = Guide(part.to(device), memory, scale)
        noise = torch.randn(
            (len(steps), len(context), config.chunk_frames, config.in_dim, *size), generator=generator
        ).to(device)
        cache.begin_chunk(config.chunk_frames, "static", 1.0)
        *_, last = denoise_chunk(
            model,
            cache,
            text,
            noise[0],
            list(noise[1:]),
            steps,
            schedule,
            StepChanges(guide=lambda _, guide=guide: guide),
        )
        clean_pass(model, cache, text, last.x0)
        made.append(last.x0)
    return torch.cat(made, dim=1)


class GuidedPainter:
    """Paints clips (3 CLIPS, frames, 3, H, W) in 0..1: the clip, with its edges as a guide, without."""

    def __init__(self, preset: ModelPreset, texts: Texts, bank: VaceBank, captions: int) -> None:
        self._preset, self._texts, self._bank, self._captions = preset, texts, bank, captions
        self._decoder: nn.Module | None = None

    @torch.no_grad()
    def paint(self, model: CausalWanTransformer, seed: int) -> Tensor:
        """All ranks call together."""
        bank, count = self._bank, min(CLIPS, len(self._bank))
        device = model.patch_embedding.weight.device
        if self._decoder is None:
            self._decoder = load_pixels(self._preset).to(device)
        frames = bank.target.shape[1] // model.config.chunk_frames * model.config.chunk_frames
        clips, views = torch.arange(count), torch.zeros(count, dtype=torch.long)
        latents = [x[:count, 0, :frames].float() for x in (bank.inactive, bank.reactive)]
        context = join(*latents, pack(bank.masks(clips, views)[:, :frames]), [])
        prompts = [prompt_of(bank, clip, 0.0, random.Random(clip), self._captions) for clip in range(count)]
        text = model.encode_text(self._texts.embed_blends(prompts).to(device))
        streams = [
            guided_stream(model, text, context, torch.Generator().manual_seed(seed), scale) for scale in (1.0, 0.0)
        ]
        rows = torch.stack((bank.target[:count, :frames].float().to(device), *streams), dim=1).flatten(0, 1)
        pixels = self._decoder.decode(rows.float(), None)[0]
        return (pixels.float().clamp(-1.0, 1.0) + 1.0) / 2.0
