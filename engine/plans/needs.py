"""How many bytes each part of a model takes on its device, computed from the preset's own shapes. Imports no torch.

Measured: the Wan autoencoder's memories (1.89 GB at 832x480 in bfloat16). Estimated: what is written in between.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

from engine.model.config import FRAMES_PER_LATENT, LATENT_STRIDE, ModelConfig
from engine.model_presets import DecoderPreset, TextPreset

UMT5_PARAMETERS = 5_680_910_336  # of the published encoder, where its file is not here to be asked
KEPT_BLENDS = 8  # prompts' keys and values that are kept beside the one in use: a crossfade visits many blends once
FEW_BLENDS = 2  # the same where memory is short
TABLES = 3  # keys before rotation, keys after it, values
SCALE_BYTES = 4  # of a row of float8 weights
# numbers per pixel and unit of width; the memories measured, the rest counted from the largest tensors in flight
WAN_MEMORY, WAN_WORK = 24.63, 30.0
TINY_MEMORY, TINY_WORK_PER_FRAME = 84.0, 2.5
WAN_ENCODER_MEMORY = 14.7  # measured, too: 1.12 GB at 832x480 in bfloat16
GUIDING_STATES = 3  # of the encoder: what stays, what is painted, mid grey
_FLOAT8_MARK = b'"F8_E4M3"'
_HEADER_LIMIT = 1 << 22


def transformer_parameters(config: ModelConfig) -> tuple[int, int]:
    """Numbers of the transformer: in the blocks' linear layers, and everywhere else."""
    dim = config.dim
    linears, beside = (config.num_layers * count for count in _block_parameters(config))
    patch = math.prod(config.patch_size)
    beside += config.in_dim * patch * dim + dim
    beside += (config.text_dim + 1) * dim + (dim + 1) * dim
    beside += (config.freq_dim + 1) * dim + (dim + 1) * dim + (dim + 1) * 6 * dim
    beside += (dim + 1) * config.out_dim * patch + 2 * dim
    return linears, beside


def vace_parameters(config: ModelConfig) -> tuple[int, int]:
    """Numbers of VACE: in the linear layers of its blocks, and everywhere else."""
    dim, blocks = config.dim, len(config.vace_layers)
    if not blocks:
        return 0, 0
    linears, beside = (blocks * count for count in _block_parameters(config))
    projections = blocks + 1  # one after each block, one before the first
    embedding = (config.vace_in_dim * math.prod(config.patch_size) + 1) * dim
    return linears + projections * dim * dim, beside + projections * dim + embedding


def _block_parameters(config: ModelConfig) -> tuple[int, int]:
    dim, inner = config.dim, config.ffn_dim
    return 8 * dim * dim + 2 * dim * inner, 8 * dim + inner + dim + 4 * dim + 2 * dim + 6 * dim


def transformer_bytes(config: ModelConfig, number_bytes: int, *, is_float8: bool, is_copied: bool = False) -> int:
    """Weights; with `is_float8` the blocks' linear layers take a byte a number, and one is widened at a time.

    With `is_copied` they have a narrow copy beside the wide weight (`engine.quantised.linears`).
    """
    weights = _stored_bytes(config, *transformer_parameters(config), config.num_layers, number_bytes, is_float8)
    weights += _copy_bytes(config, config.num_layers) if is_copied else 0
    return weights + (config.dim * config.ffn_dim * number_bytes if is_float8 else 0)


def vace_bytes(
    config: ModelConfig, number_bytes: int, *, is_float8: bool, is_copied: bool = False, blends: int = KEPT_BLENDS
) -> int:
    """Weights of VACE, and the prompts' keys and values of its blocks."""
    blocks = len(config.vace_layers)
    weights = _stored_bytes(config, *vace_parameters(config), blocks, number_bytes, is_float8)
    weights += _copy_bytes(config, blocks) if is_copied else 0
    return weights + _prompt_bytes(config, blocks, number_bytes, blends)


def _copy_bytes(config: ModelConfig, blocks: int) -> int:
    """A byte a number and a scale a row of all linear layers but keys and values of the prompt."""
    dim, inner = config.dim, config.ffn_dim
    return blocks * (6 * dim * dim + 2 * dim * inner + (7 * dim + inner) * SCALE_BYTES)


def _stored_bytes(
    config: ModelConfig, linears: int, beside: int, blocks: int, number_bytes: int, is_float8: bool
) -> int:
    if not is_float8:
        return (linears + beside) * number_bytes
    return linears + beside * number_bytes + blocks * (9 * config.dim + config.ffn_dim) * SCALE_BYTES


def _prompt_bytes(config: ModelConfig, blocks: int, number_bytes: int, blends: int) -> int:
    return (blends + 1) * 2 * blocks * config.text_len * config.dim * number_bytes


def cache_bytes(config: ModelConfig, size: tuple[int, int], number_bytes: int, blends: int = KEPT_BLENDS) -> int:
    """Keys, rotated keys and values of the whole window, and those of the prompts."""
    tokens = config.window_frames * _tokens(config, size)
    window = TABLES * config.num_layers * tokens * config.dim * number_bytes
    return window + _prompt_bytes(config, config.num_layers, number_bytes, blends)


def activation_bytes(config: ModelConfig, size: tuple[int, int], number_bytes: int) -> int:
    """What a forward pass and the rotation of the window write in between; an estimate."""
    tokens = _tokens(config, size)
    forward = config.chunk_frames * tokens * (24 * config.dim + 2 * config.ffn_dim) * number_bytes
    rotation = 3 * config.window_frames * tokens * config.dim * 4
    return forward + rotation


def decoder_bytes(decoder: DecoderPreset, size: tuple[int, int], number_bytes: int, *, latent_frames: int) -> int:
    """Weights, memories and what is written in between when `latent_frames` are decoded at once."""
    pixels = size[0] * size[1]
    if decoder.kind == "wan_vae":
        weights = 126_892_531 * decoder.dim**2 // 96**2
        return round((weights + (WAN_MEMORY + WAN_WORK) * decoder.dim * pixels) * number_bytes)
    widths = decoder.decoder_widths
    weights = sum(60 * width * width for width in (*widths, *decoder.encoder_widths))
    work = TINY_WORK_PER_FRAME * FRAMES_PER_LATENT * latent_frames * widths[-1]
    return round((weights + (TINY_MEMORY * max(widths) / 256 + work) * pixels) * number_bytes)


def encoder_state_bytes(decoder: DecoderPreset, size: tuple[int, int], number_bytes: int) -> int:
    """What the autoencoder's other half carries from chunk to chunk of one video that is shown to it."""
    pixels = size[0] * size[1]
    if decoder.kind == "wan_vae":
        return round(WAN_ENCODER_MEMORY * decoder.dim * pixels * number_bytes)
    half, quarter, eighth = decoder.encoder_widths  # three memory blocks at each of these sizes
    return 3 * (half * pixels // 4 + quarter * pixels // 16 + eighth * pixels // 64) * number_bytes


def text_bytes(text: TextPreset) -> tuple[int, bool]:
    """Weights of the text encoder as its file has them, and whether that is float8 already."""
    try:
        found_bytes = text.file.stat().st_size
    except OSError:
        is_float8 = "fp8" in text.file.name
        return UMT5_PARAMETERS * (1 if is_float8 else 2) if text.kind == "umt5" else 0, is_float8
    return found_bytes, _is_float8(text.file)


def _is_float8(file: Path) -> bool:
    if file.suffix != ".safetensors":
        return False
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8).ljust(8, b"\0"))
        return _FLOAT8_MARK in opened.read(min(length, _HEADER_LIMIT))


def _tokens(config: ModelConfig, size: tuple[int, int]) -> int:
    """Tokens of a latent frame."""
    return config.tokens_per_frame(size[1] // LATENT_STRIDE, size[0] // LATENT_STRIDE)
