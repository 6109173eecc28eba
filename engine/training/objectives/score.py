"""A bidirectional transformer as a score of whole clips, one noise level for all frames; guidance, both conventions."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.model.transformer import CausalWanTransformer
from engine.training.objectives.clip_attention import everything
from engine.training.objectives.levels import noised, timesteps_of, x0_of

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


def few_step_clips(
    model: CausalWanTransformer, noise: Tensor, embeds: Tensor, timesteps: tuple[float, ...], exit_step: int
) -> Tensor:
    """Clips x0 (B, F, C, h, w) float32 of noise (steps, B, F, C, h, w), ended at `exit_step` (from 0)."""
    x, is_graded = noise[0], torch.is_grad_enabled()
    for step in range(exit_step + 1):
        sigma = torch.full((x.shape[0],), timesteps[step] / 1000.0, device=x.device)
        with torch.set_grad_enabled(is_graded and step == exit_step):
            x0 = x0_of(x, flow_of(model, x, sigma, embeds), sigma)
        if step < exit_step:
            following = torch.full_like(sigma, timesteps[step + 1] / 1000.0)
            x = noised(x0, noise[step + 1], following)
    return x0
