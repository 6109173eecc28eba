"""A bidirectional transformer as a score of whole clips, one noise level for all frames; guidance, both conventions."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.model.transformer import CausalWanTransformer
from engine.training.objectives.clip_attention import everything
from engine.training.objectives.levels import timesteps_of

CONVENTIONS = ("configured", "standard")


def flow_of(model: CausalWanTransformer, noisy: Tensor, sigma: Tensor, embeds: Tensor) -> Tensor:
    """Flow (B, F, C, h, w) in float32 at sigma (B,) for prompts' embeddings (B, text_len, text_dim)."""
    memory = everything(model.config, noisy)
    return model(noisy, timesteps_of(sigma).to(noisy.device), model.encode_text(embeds), memory).float()


def guided(with_prompt: Tensor, without: Tensor, scale: float, convention: str) -> Tensor:
    """Guidance: "configured" c + w (c - u), as published for Reward Forcing; "standard" u + w (c - u).

    w = 3 in the first is w = 4 in the second.
    """
    start = with_prompt if convention == "configured" else without
    return start + scale * (with_prompt - without)


def is_unguided(scale: float, convention: str) -> bool:
    """Whether the second pass, without the prompt, would change nothing."""
    return scale == (0.0 if convention == "configured" else 1.0)


@torch.no_grad()
def guided_flow(
    model: CausalWanTransformer,
    noisy: Tensor,
    sigma: Tensor,
    embeds: Tensor,
    negative: Tensor,
    scale: float,
    convention: str,
) -> Tensor:
    """Flow as guided, float32; `negative` (text_len, text_dim) is what is led away from."""
    flow = flow_of(model, noisy, sigma, embeds)
    if is_unguided(scale, convention):
        return flow
    return guided(flow, flow_of(model, noisy, sigma, negative.expand_as(embeds)), scale, convention)
