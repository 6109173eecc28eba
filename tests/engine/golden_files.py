"""Makes golden files from the naive oracle, of any shape, and reads them back to spoil them."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.vae.latents import LATENT_MEAN, LATENT_STD
from engine.vae.wan_vae import WanVae, WanVaeConfig
from tests.engine.naive_stream import NaiveStream, NaiveVae

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
DIT = GOLDEN / "tiny_causal_dit.safetensors"
VAE = GOLDEN / "tiny_wan_vae.safetensors"

SMALL = {
    "dim": 40,
    "ffn_dim": 48,
    "num_heads": 2,
    "num_layers": 2,
    "freq_dim": 16,
    "text_dim": 12,
    "text_len": 5,
    "in_dim": 16,
    "out_dim": 16,
    "patch_size": [1, 2, 2],
    "eps": 1e-6,
    "window_frames": 9,
    "sink_frames": 3,
    "chunk_frames": 3,
    "sink_decay": 0.999,
    "timestep_shift": 5.0,
    "prompt_switch_chunk": None,
}


def random_weights(model: torch.nn.Module, generator: torch.Generator) -> dict[str, Tensor]:
    """Random values for every weight of a model, of a size that keeps activations near 1."""
    weights = {}
    for name, like in model.state_dict().items():
        is_gain = name.endswith("gamma") or ("norm" in name and name.endswith("weight"))
        fan_in = like[0].numel() if like.ndim > 1 else 25
        spread = 0.1 if is_gain else fan_in**-0.5
        weights[name] = torch.randn(like.shape, generator=generator) * spread + (1.0 if is_gain else 0.0)
    return weights


def make_stream_file(
    path: Path, height: int, width: int, chunks: int, steps: list[float], **changes: object
) -> dict[str, Tensor]:
    """Write a causal_dit golden file made by the oracle alone; returns its tensors."""
    config = SMALL | changes
    sizes = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items() if k not in ("sink_decay",)}
    switch = sizes.pop("prompt_switch_chunk")
    generator = torch.Generator().manual_seed(11)
    with torch.device("meta"):
        model = CausalWanTransformer(ModelConfig(**sizes))
    weights = random_weights(model, generator)
    frames, channels = config["chunk_frames"], config["in_dim"]
    noise = torch.randn(1, chunks * frames, channels, height, width, generator=generator)
    renoise = torch.randn(chunks, len(steps) - 1, frames, channels, height, width, generator=generator)
    prompts = torch.randn(1 if switch is None else 2, config["text_len"], config["text_dim"], generator=generator)
    prompts[:, -2:] = 0.0
    stream = NaiveStream({name: tensor.double() for name, tensor in weights.items()}, config, height, width)
    tensors = {f"w.{name}": tensor for name, tensor in weights.items()}
    tensors |= {"in.noise": noise, "in.renoise": renoise, "in.prompt_embeds": prompts, "in.steps": torch.tensor(steps)}
    out = []
    for b, start in enumerate(noise[0].split(frames)):
        prompt = prompts[0 if switch is None or b < switch else 1]
        made = stream.generate(start.double(), renoise[b].double(), steps, prompt.double())
        for name, tensor in made.items():
            kind, s = name.split(".")
            tensors[f"fp32.{kind}.b{b}.{s}"] = tensor[None]
        out.append(made[f"x0.s{len(steps) - 1}"])
        last = config["num_layers"] - 1
        tensors |= {f"fp32.cacheK.l0.b{b}": stream.kept(0, 0), f"fp32.cacheV.l{last}.b{b}": stream.kept(last, 1)}
        tokens = stream.rows * stream.columns
        tensors[f"fp32.idx.b{b}"] = torch.tensor([stream.seen * tokens, len(stream.frames[0]) * tokens])
    tensors["fp32.out"] = torch.cat(out)[None]
    write(path, tensors, "causal_dit", config)
    return tensors


def write(path: Path, tensors: dict[str, Tensor], kind: str, config: dict[str, object]) -> None:
    """Write tensors as a golden file."""
    stored = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    save_file(
        {name: tensor.contiguous() for name, tensor in stored.items()},
        path,
        metadata={"kind": kind, "config": json.dumps(config)},
    )


def make_autoencoder_file(path: Path, config: dict[str, object], latents: tuple[int, int, int]) -> None:
    """Write a wan_vae golden file made by the oracle alone, for latents (F, h, w) and as many frames."""
    sizes = {k.replace("temperal", "temporal"): tuple(v) if isinstance(v, list) else v for k, v in config.items()}
    built = WanVaeConfig(**sizes)
    generator = torch.Generator().manual_seed(12)
    with torch.device("meta"):
        model = WanVae(built)
    weights = random_weights(model, generator)
    mean, std = (torch.tensor(values, dtype=torch.float64) for values in (LATENT_MEAN, LATENT_STD))
    oracle = NaiveVae({name: tensor.double() for name, tensor in weights.items()}, mean, std)
    frames, height, width = latents
    z = torch.randn(1, 16, frames, height, width, generator=generator)
    count, stride = 1 + (frames - 1) * built.time_stride, built.space_stride
    pixels = torch.rand(1, 3, count, height * stride, width * stride, generator=generator) * 2.0 - 1.0
    tensors = {f"w.{name}": tensor for name, tensor in weights.items()} | {"in.z": z, "in.pixels": pixels}
    tensors["out.pixels_raw"] = oracle.decode(z[0].double())[None]
    tensors["out.latent"] = oracle.encode(pixels[0].double())[None]
    write(path, tensors, "wan_vae", config)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a golden file: its tensors and its metadata."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    return load_file(path), metadata
