"""From a model preset to modules with weights on a device. Knows nothing of streams or prompts' meaning."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from engine.checkpoints import CheckpointError, load_into, read_checkpoint
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import DecoderPreset, ModelPreset
from engine.text.kept_embeddings import KeptEmbeddings, embeddings_folder
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.text.prompts import TextEncoder
from engine.text.umt5 import load_umt5
from engine.vae.latents import StreamingAutoencoder
from engine.vae.tiny_vae import TinyVaeConfig, load_tiny_vae
from engine.vae.wan_vae import WanVae, WanVaeConfig

Module = TypeVar("Module", bound=nn.Module)
NUMBER_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str) -> torch.device:
    """The device of a name: "auto" takes CUDA where there is one. Raises ValueError when a named one is missing."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but no NVIDIA GPU can be used here; choose 'cpu' or 'auto'")
    return torch.device(name)


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number type of a name: "auto" is bfloat16 where the processor multiplies it natively, float32 elsewhere.

    On CPUs that do not, bfloat16 is slower than float32: 1.2 to 6.6 times, measured; with AVX-512 BF16 it is 1.4
    times faster, with AMX about twice.
    """
    if name != "auto":
        return NUMBER_TYPES[name]
    is_native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if device.type == "cuda" or is_native else torch.float32


def load_transformer(preset: ModelPreset, device: torch.device, dtype: torch.dtype) -> CausalWanTransformer:
    """The transformer with its weights. Raises CheckpointError with everything that does not fit."""
    with torch.device("meta"):
        model = CausalWanTransformer(preset.transformer).to(dtype)
    load_into(model, preset.transformer_file, device=device)
    return _frozen(model)


def load_decoder(preset: DecoderPreset, device: torch.device, dtype: torch.dtype) -> StreamingAutoencoder:
    """The autoencoder with its weights. Raises CheckpointError or ValueError with what does not fit."""
    if preset.kind == "wan_vae":
        with torch.device("meta"):
            vae = WanVae(WanVaeConfig(dim=preset.dim)).to(dtype)
        load_into(vae, preset.file, device=device)
        return _frozen(vae)
    config = TinyVaeConfig(
        encoder_widths=preset.encoder_widths,
        decoder_widths=preset.decoder_widths,
        has_latent_statistics=preset.has_latent_statistics,
    )
    tiny = load_tiny_vae(config, read_checkpoint(preset.file).tensors)
    return _frozen(tiny.to(device, dtype, memory_format=torch.channels_last))


def load_text_encoder(preset: ModelPreset, device: torch.device, dtype: torch.dtype) -> TextEncoder:
    """The text encoder: ember's on the CPU in float32, UMT5 on `device` with its embeddings kept on disk.

    Raises CheckpointError when its file does not fit the transformer.
    """
    if preset.text.kind == "umt5":
        return _load_umt5(preset, device, dtype)
    checkpoint = read_checkpoint(preset.text.file)
    table = checkpoint.tensors.get("table.weight", torch.empty(0))
    if table.dim() != 2:  # a file of something else: any size will do to tell how it differs
        table = torch.empty(2, 1)
    config = NgramConfig(
        text_len=preset.transformer.text_len,
        text_dim=preset.transformer.text_dim,
        buckets=table.shape[0],
        width=table.shape[1],
    )
    encoder = NgramEncoder(config)
    load_into(encoder, checkpoint)
    return _frozen(encoder)


def _load_umt5(preset: ModelPreset, device: torch.device, dtype: torch.dtype) -> TextEncoder:
    file, config = preset.text.file, preset.transformer
    assert preset.text.tokenizer is not None, "a preset of kind umt5 names a tokenizer"
    encoder = load_umt5(file, preset.text.tokenizer, config.text_len, device, dtype)
    if encoder.config.width != config.text_dim:
        raise CheckpointError(
            f"{file}: its rows are {encoder.config.width} wide, the transformer takes {config.text_dim}"
        )
    folder = embeddings_folder()
    if folder is None:
        return encoder
    size_bytes = file.stat().st_size if file.is_file() else 0
    return KeptEmbeddings(encoder, folder, f"{file.name} {size_bytes} {config.text_len} {dtype}")


def _frozen(module: Module) -> Module:
    return module.eval().requires_grad_(False)
