"""Small files in the layout of each published one load with what the preset says of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.checkpoints import load_into
from engine.loading import load_decoder
from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.model_presets import load_preset, read_preset
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig

SMALL = ModelConfig(dim=48, ffn_dim=64, num_heads=2, num_layers=2, freq_dim=32, text_dim=24, text_len=8)
PRESET = """
[transformer]
file = "t.pt"
[decoder]
kind = "{kind}"
file = "{file}"
{more}
[text]
kind = "ngram"
file = "x.safetensors"
[stream]
width = 832
height = 480
rate_fps = 16
"""


def with_prefix(weights: dict[str, torch.Tensor], inner: str = "") -> dict[str, torch.Tensor]:
    return {f"model.{inner}{name}": tensor for name, tensor in weights.items()}


LAYOUTS = {
    "reward-forcing": lambda weights: with_prefix(weights),
    "self-forcing": lambda weights: {"generator_ema": with_prefix(weights, "_fsdp_wrapped_module.")},
    "causvid": lambda weights: {"generator": with_prefix(weights)},
    "longlive": lambda weights: {"generator": with_prefix(weights)},
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_published_transformer_loads_from_its_layout(tmp_path: Path, name: str) -> None:
    torch.manual_seed(1)
    published = CausalWanTransformer(SMALL).to(torch.bfloat16)
    path = tmp_path / load_preset(name).transformer_file.name
    torch.save(LAYOUTS[name](published.state_dict()), path)
    loaded = CausalWanTransformer(SMALL)
    load_into(loaded, path)
    for key, tensor in published.state_dict().items():
        assert torch.equal(loaded.state_dict()[key].float(), tensor.float()), key


def decoder_of(folder: Path, kind: str, file: str, more: str = ""):
    path = folder / "model.toml"
    path.write_text(PRESET.format(kind=kind, file=file, more=more))
    return read_preset(path).decoder


def test_the_light_wan_autoencoder_loads_at_its_own_width(tmp_path: Path) -> None:
    torch.save(WanVae(WanVaeConfig(dim=24)).state_dict(), tmp_path / "lightvaew2_1.pth")
    decoder = load_decoder(
        decoder_of(tmp_path, "wan_vae", "lightvaew2_1.pth", "dim = 24"), torch.device("cpu"), torch.float32
    )
    frames, _ = decoder.decode(torch.zeros(1, 1, 16, 4, 4), None)
    assert frames.shape == (1, 1, 3, 32, 32)


def test_both_tiny_autoencoders_load_each_with_its_own_latents(tmp_path: Path) -> None:
    torch.manual_seed(2)
    torch.save(TinyVae(TinyVaeConfig()).half().state_dict(), tmp_path / "taew2_1.pth")
    latents = torch.randn(1, 1, 16, 4, 4)
    pictures, scales = [], []
    for more in ("", 'latents = "wan_vae"'):
        decoder = load_decoder(
            decoder_of(tmp_path, "tiny_vae", "taew2_1.pth", more), torch.device("cpu"), torch.float32
        )
        pictures.append(decoder.decode(latents, None)[0])
        scales.append(decoder.config.has_latent_statistics)
    assert pictures[0].shape == pictures[1].shape == (1, 1, 3, 32, 32)
    assert scales == [False, True]
