"""A model folder with everything a shipped model has, small and random: for what goes through files and the loader."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.ember.weights import write_autoencoder, write_text_encoder, write_transformer
from engine.model.config import ModelConfig
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from tests.engine.tiny import tiny_transformer

CONFIG = ModelConfig(dim=48, ffn_dim=64, num_heads=4, num_layers=2, freq_dim=16, text_dim=8, text_len=4)
PRESET = """
name = "small"
licence = "none"
[transformer]
file = "transformer.safetensors"
dim = 48
ffn_dim = 64
num_heads = 4
num_layers = 2
freq_dim = 16
text_dim = 8
text_len = 4
[decoder]
kind = "tiny_vae"
file = "autoencoder.safetensors"
encoder_widths = [8, 8, 8]
decoder_widths = [16, 8, 8, 8]
[text]
kind = "ngram"
file = "text.safetensors"
[stream]
width = 48
height = 32
rate_fps = 16
"""


def write_small_model(folder: Path) -> Path:
    """Fill `folder` with weights and a model.toml; return it."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    write_transformer(tiny_transformer(CONFIG), folder)
    write_autoencoder(TinyVae(TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(16, 8, 8, 8))), folder)
    write_text_encoder(NgramEncoder(NgramConfig(text_len=4, text_dim=8, buckets=64, width=8)), folder)
    (folder / "model.toml").write_text(PRESET, encoding="utf-8")
    return folder
