"""The reference's inference pipeline with our random weights, and its clips timed chunk by chunk."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.benchmark.random_models import TRANSFORMER_FILE, WAN_FILE, randomise
from engine.benchmark.upstream.checkout import Checkout
from engine.model.config import ModelConfig
from engine.vae.latents import LATENT_STRIDE

PROMPT_ROWS = 40  # of text_len: the rest of a prompt is zeros
GEOMETRY = ("dim", "ffn_dim", "num_heads", "num_layers", "freq_dim", "text_dim", "text_len", "in_dim", "out_dim", "eps")


def build(checkout: Checkout, weights: Path, config: ModelConfig, wan_dim: int, device: torch.device) -> nn.Module:
    """Its CausalInferencePipeline in bfloat16, as its own command makes it, without a text encoder."""
    made = checkout.causal_model.CausalWanModel
    transformer = load_file(weights / TRANSFORMER_FILE)
    geometry = {name: vars(config)[name] for name in GEOMETRY}

    def with_weights(_: str, **kept: int) -> nn.Module:
        with torch.device(device):
            model = made(**geometry, **kept)
        model.load_state_dict(transformer)
        return model

    settings = SimpleNamespace(**checkout.config)
    decoder_weights = load_file(weights / WAN_FILE)
    decoder = functools.partial(checkout.wrapper._video_vae, dim=wan_dim)
    with (
        patch.object(made, "from_pretrained", with_weights, create=True),
        patch.object(checkout.wrapper, "_video_vae", decoder),
        patch.object(torch, "load", lambda *_, **__: decoder_weights),
    ):
        pipeline = checkout.pipeline.CausalInferencePipeline(settings, device, text_encoder=KnownPrompt(config, device))
    pipeline = pipeline.to(dtype=torch.bfloat16)
    pipeline.generator.to(device)
    pipeline.vae.to(device)
    return pipeline.eval()


def fit(pipeline: nn.Module, config: ModelConfig, size: tuple[int, int], device: torch.device) -> bool:
    """Make lengths that it has written down for 832x480 of the 1.3B model fit others; False = they fitted."""
    tokens = math.prod(side // (2 * LATENT_STRIDE) for side in size)
    is_own = tokens == pipeline.frame_seq_length and config.num_layers == pipeline.num_transformer_blocks
    if is_own:
        return False
    pipeline.frame_seq_length, pipeline.num_transformer_blocks = tokens, config.num_layers
    keys = pipeline.local_attn_size * tokens
    for block in pipeline.generator.model.blocks:
        block.self_attn.max_attention_size = keys
    pipeline.generator.seq_len = max(pipeline.generator.seq_len, keys)

    def rows(length: int) -> Tensor:
        shape = (1, length, config.num_heads, config.head_dim)
        return torch.zeros(shape, dtype=torch.bfloat16, device=device)

    pipeline.kv_cache1 = [{"k": rows(keys), "v": rows(keys)} for _ in range(config.num_layers)]
    pipeline.crossattn_cache = [
        {"k": rows(config.text_len), "v": rows(config.text_len), "is_init": False} for _ in range(config.num_layers)
    ]
    return True


class KnownPrompt(nn.Module):
    """In place of the text encoder: an embedding that is there, as ours has it for a prompt it knows."""

    def __init__(self, config: ModelConfig, device: torch.device) -> None:
        super().__init__()
        rows = torch.randn(1, config.text_len, config.text_dim, generator=torch.Generator().manual_seed(0))
        rows[:, PROMPT_ROWS:] = 0.0
        self._rows = rows.to(device, torch.bfloat16)

    def forward(self, text_prompts: list[str]) -> dict[str, Tensor]:
        """What its text encoder answers."""
        return {"prompt_embeds": self._rows.clone()}


class TinyDecoder(nn.Module):
    """The reference's TAEHV where its pipeline has the Wan autoencoder: every chunk's latents at once."""

    def __init__(self, checkout: Checkout, chunk_frames: int, device: torch.device) -> None:
        super().__init__()
        with torch.device(device):
            self.taehv = checkout.taehv.TAEHV(checkpoint_path=None).to(torch.bfloat16)
        randomise(self.taehv, seed=2)
        self._chunk_frames = chunk_frames

    def decode_to_pixel(self, latent: Tensor, use_cache: bool = False) -> Tensor:
        """Latents (1, F, C, h, w) to frames (1, T, 3, H, W) in [-1, 1]."""
        parts = latent.split(self._chunk_frames, dim=1)
        frames = torch.cat([self.taehv.decode_video(part, parallel=True) for part in parts], dim=1) * 2 - 1
        return frames if use_cache else frames[:, self.taehv.frames_to_trim :]
