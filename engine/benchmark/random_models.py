"""Models of random weights on disk: the published shapes, so that nothing need be downloaded to measure speed.

Weights are seeded and drawn as a model is initialised: never zeros, on which a GPU clocks higher than in use.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from engine.benchmark.presets import PRESET_FILES, RANDOM_TINY_DECODER, RANDOM_WAN_DECODER
from engine.model.config import WAN_1_3B, ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig
from engine.vae.wan_vae import WanVae, WanVaeConfig

SMOKE_MODEL = ModelConfig(dim=48, ffn_dim=96, num_heads=4, num_layers=2, freq_dim=32, text_dim=8, text_len=8)
SMOKE_TINY = TinyVaeConfig(encoder_widths=(8, 8, 8), decoder_widths=(8, 8, 8, 8))
SMOKE_WAN_DIM = 8
TRANSFORMER_FILE, TINY_FILE, WAN_FILE, TEXT_FILE = (
    "transformer.safetensors",
    "tiny_vae.safetensors",
    "wan_vae.safetensors",
    "text.safetensors",
)


@torch.no_grad()
def randomise(module: nn.Module, seed: int) -> None:
    """Fill every weight at its usual scale, drawn on the module's own device."""
    generator = torch.Generator(next(module.parameters()).device).manual_seed(seed)
    for name, weight in module.named_parameters():
        if "norm" in name and name.endswith(("weight", "gamma")):
            weight.fill_(1.0)
        else:
            fan_in = max(1, weight[0].numel()) if weight.dim() > 1 else weight.numel()
            weight.normal_(std=fan_in**-0.5, generator=generator)


def write_random_models(folder: Path, *, is_smoke: bool, seed: int = 0) -> None:
    """Write weights of the 1.3B model, of both decoders and of a text encoder, and a preset for each decoder.

    About 3.4 GB; `is_smoke` writes a tiny geometry. Raises OSError.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.float32 if is_smoke else torch.bfloat16
    config = SMOKE_MODEL if is_smoke else WAN_1_3B
    tiny = SMOKE_TINY if is_smoke else TinyVaeConfig()
    wan_dim = SMOKE_WAN_DIM if is_smoke else WanVaeConfig().dim
    text = NgramConfig(text_len=config.text_len, text_dim=config.text_dim)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device(device):
        _write(CausalWanTransformer(config), folder / TRANSFORMER_FILE, dtype, seed)
        _write(WanVae(WanVaeConfig(dim=wan_dim)), folder / WAN_FILE, dtype, seed + 1)
        _write(TinyVae(tiny), folder / TINY_FILE, dtype, seed + 2)
    _write(NgramEncoder(text), folder / TEXT_FILE, torch.float32, seed + 3)
    tiny_table = [
        'kind = "tiny_vae"',
        f'file = "{TINY_FILE}"',
        f"encoder_widths = {list(tiny.encoder_widths)}",
        f"decoder_widths = {list(tiny.decoder_widths)}",
    ]
    wan_table = ['kind = "wan_vae"', f'file = "{WAN_FILE}"', f"dim = {wan_dim}"]
    for model, decoder in ((RANDOM_TINY_DECODER, tiny_table), (RANDOM_WAN_DECODER, wan_table)):
        (folder / PRESET_FILES[model]).write_text("\n".join(_preset_lines(model, config, decoder)) + "\n")


def _write(module: nn.Module, file: Path, dtype: torch.dtype, seed: int) -> None:
    module.to(dtype)
    randomise(module, seed)
    save_file({name: weight.contiguous().cpu() for name, weight in module.state_dict().items()}, file)


def _preset_lines(model: str, config: ModelConfig, decoder: list[str]) -> list[str]:
    streaming = ("window_frames", "sink_frames", "chunk_frames", "timestep_shift")
    left_out = (*streaming, "patch_size", "vace_layers", "vace_in_dim", "eps")
    sizes = dataclasses.asdict(config).items()
    return [
        f'name = "{model}"',
        'licence = "none: random weights"',
        "[transformer]",
        f'file = "{TRANSFORMER_FILE}"',
        *(f"{name} = {value}" for name, value in sizes if name not in left_out),
        "[decoder]",
        *decoder,
        "[text]",
        'kind = "ngram"',
        f'file = "{TEXT_FILE}"',
        "[stream]",
        "width = 832",
        "height = 480",
        "rate_fps = 16",
        *(f"{name} = {value}" for name, value in sizes if name in streaming),
    ]


if __name__ == "__main__":  # python -m engine.benchmark.random_models FOLDER [smoke]
    write_random_models(Path(sys.argv[1]), is_smoke="smoke" in sys.argv[2:])
