"""How much arithmetic one forward of the transformer is: multiplications and additions of the model alone.

A fused multiply-add counts two. Norms, rotations and activations do not count.
"""

from __future__ import annotations

import math

from engine.model.config import ModelConfig


def forward_flop(config: ModelConfig, frame_tokens: int, chunk_frames: int, attended_frames: int) -> int:
    """Operations of one forward of a chunk; frames are latent ones, `attended_frames` what its queries see."""
    dim, layers = config.dim, config.num_layers
    queries, keys = chunk_frames * frame_tokens, attended_frames * frame_tokens
    per_layer = 8 * queries * dim**2  # q, k, v, o
    per_layer += 4 * queries * keys * dim  # scores, and values by them
    per_layer += 4 * queries * dim**2 + 4 * queries * config.text_len * dim  # cross-attention; its k, v are kept
    per_layer += 4 * queries * dim * config.ffn_dim
    patch = math.prod(config.patch_size) * (config.in_dim + config.out_dim)
    return layers * per_layer + 2 * queries * dim * patch


def last_layer_saved_flop(config: ModelConfig, frame_tokens: int, chunk_frames: int, attended_frames: int) -> int:
    """What a clean pass leaves out, because of the last layer only keys and values are wanted, and no head."""
    queries, keys = chunk_frames * frame_tokens, attended_frames * frame_tokens
    dim = config.dim
    saved = 4 * queries * dim**2 + 4 * queries * keys * dim  # q, o; scores and values
    saved += 4 * queries * dim**2 + 4 * queries * config.text_len * dim + 4 * queries * dim * config.ffn_dim
    return saved + 2 * queries * dim * math.prod(config.patch_size) * config.out_dim


def chunk_flop(
    config: ModelConfig, frame_tokens: int, steps: int, *, has_clean_pass: bool, chunk_frames: int = 0
) -> int:
    """Operations of a chunk in steady state: its steps, and the clean pass as it is made here."""
    frames = chunk_frames or config.chunk_frames
    sizes = (config, frame_tokens, frames, config.window_frames)
    whole = forward_flop(*sizes)
    clean = whole - last_layer_saved_flop(*sizes) if has_clean_pass else 0
    return steps * whole + clean
