"""Writes tests/data/golden/tiny_vace_dit.safetensors: a small WanVACETransformer3DModel of diffusers and what it makes.

`python -m tests.engine.vace_golden`; `vj verify FILE` recomputes the file without it.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from engine.key_maps import dit_from_diffusers
from engine.model.config import ModelConfig

FILE = Path(__file__).parents[1] / "data" / "golden" / "tiny_vace_dit.safetensors"
CONFIG = ModelConfig(
    dim=24, ffn_dim=40, num_heads=2, num_layers=4, freq_dim=16, text_dim=12, text_len=5, vace_layers=(0, 1, 3)
)
TIMESTEP, SCALES = 937.5, (1.0, 0.6, 1.4)
FRAMES, CONTEXT_FRAMES, HEIGHT, WIDTH = 4, 3, 4, 6  # one reference and three frames; a context that ends early


def main() -> None:
    """Make the weights, the inputs and the outputs, and write them."""
    from diffusers import WanVACETransformer3DModel

    generator = torch.Generator().manual_seed(0)
    model = WanVACETransformer3DModel(
        num_attention_heads=CONFIG.num_heads,
        attention_head_dim=CONFIG.head_dim,
        in_channels=CONFIG.in_dim,
        out_channels=CONFIG.out_dim,
        text_dim=CONFIG.text_dim,
        freq_dim=CONFIG.freq_dim,
        ffn_dim=CONFIG.ffn_dim,
        num_layers=CONFIG.num_layers,
        vace_layers=list(CONFIG.vace_layers),
        vace_in_channels=CONFIG.vace_in_dim,
    ).eval()
    for name, weight in model.named_parameters():
        is_gain = "norm" in name and name.endswith("weight")
        nn.init.normal_(weight, 1.0 if is_gain else 0.0, 0.1 if weight.ndim < 2 else 0.2, generator=generator)
    inputs = {
        "latents": torch.randn(1, FRAMES, CONFIG.in_dim, HEIGHT, WIDTH, generator=generator),
        "context": torch.randn(1, CONTEXT_FRAMES, CONFIG.vace_in_dim, HEIGHT, WIDTH, generator=generator),
        "prompt_embeds": torch.randn(1, CONFIG.text_len, CONFIG.text_dim, generator=generator),
        "timestep": torch.tensor([[TIMESTEP]]),
        "scales": torch.tensor(SCALES),
    }
    expected = {}
    with torch.inference_mode():
        for name, scales in (("guided", inputs["scales"]), ("unguided", torch.zeros(len(SCALES)))):
            made = model(
                inputs["latents"].transpose(1, 2),
                inputs["timestep"][0],
                inputs["prompt_embeds"],
                control_hidden_states=inputs["context"].transpose(1, 2),
                control_hidden_states_scale=scales,
            ).sample
            expected[f"fp32.{name}"] = made.transpose(1, 2).contiguous()
    weights = {f"w.{dit_from_diffusers(name)}": weight.detach() for name, weight in model.state_dict().items()}
    tensors = weights | {f"in.{name}": tensor for name, tensor in inputs.items()} | expected
    save_file(tensors, FILE, {"kind": "vace_dit", "config": json.dumps(dataclasses.asdict(CONFIG))})
    FILE.chmod(0o644)


if __name__ == "__main__":
    main()
