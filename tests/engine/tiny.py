"""The tiny transformer the engine's tests stream with: random weights, seeded, two layers."""

import torch

from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer

TINY = ModelConfig(
    dim=48, ffn_dim=64, num_heads=4, num_layers=2, freq_dim=16, text_dim=8, text_len=4, in_dim=4, out_dim=4
)
LATENT_HEIGHT, LATENT_WIDTH = 4, 6


def tiny_transformer(config: ModelConfig = TINY, seed: int = 0) -> CausalWanTransformer:
    """A transformer whose every weight is random, norms and biases included."""
    generator = torch.Generator().manual_seed(seed)
    model = CausalWanTransformer(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            is_gain = name.endswith(("norm_q.weight", "norm_k.weight", "norm3.weight"))
            weight.copy_(1.0 + 0.1 * noise if is_gain else noise * (0.6 / weight.shape[-1] ** 0.5))
    return model.eval().requires_grad_(False)


def tiny_prompt(config: ModelConfig = TINY, seed: int = 1) -> torch.Tensor:
    """Prompt embeddings (1, text_len, text_dim) with one zero row at the end."""
    embeds = torch.randn(1, config.text_len, config.text_dim, generator=torch.Generator().manual_seed(seed))
    embeds[:, -1] = 0.0
    return embeds


def tiny_latents(frames: int, config: ModelConfig = TINY, seed: int = 2) -> torch.Tensor:
    """Latents (1, F, C, H, W)."""
    shape = (1, frames, config.in_dim, LATENT_HEIGHT, LATENT_WIDTH)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
