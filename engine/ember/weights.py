"""ember's weight files: fp16 safetensors, their kind and configuration as metadata. Knows nothing of training."""

import dataclasses
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.model.config import ModelConfig
from engine.model.transformer import CausalWanTransformer
from engine.text.ngram import NgramConfig, NgramEncoder
from engine.vae.tiny_vae import TinyVae, TinyVaeConfig, load_tiny_vae


def write_weights(path: Path, kind: str, config: dict, weights: dict[str, Tensor]) -> None:
    """Write `weights` in fp16 with `kind` and `config` (as JSON) in the file's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {key: value.detach().half().contiguous() for key, value in weights.items()}
    save_file(tensors, path, metadata={"kind": kind, "config": json.dumps(config)})
    path.chmod(0o644)  # whatever the umask: the file is shipped


def read_weights(path: Path, kind: str) -> tuple[dict, dict[str, Tensor]]:
    """Read what `write_weights` wrote, in fp32; raise ValueError with a sentence if the file is of another kind."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("kind") != kind:
            raise ValueError(f"{path}: holds {metadata.get('kind', 'something unnamed')!r}, {kind!r} is needed")
        return json.loads(metadata["config"]), {key: file.get_tensor(key).to(torch.float32) for key in file.keys()}  # noqa: SIM118


def write_autoencoder(model: TinyVae, folder: Path) -> None:
    """Write `autoencoder.safetensors` into `folder`."""
    path = folder / "autoencoder.safetensors"
    write_weights(path, "tiny_vae", dataclasses.asdict(model.config), model.state_dict())


def read_autoencoder(folder: Path) -> TinyVae:
    """Read `autoencoder.safetensors` from `folder`, ready for inference."""
    config, weights = read_weights(folder / "autoencoder.safetensors", "tiny_vae")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    return load_tiny_vae(TinyVaeConfig(**values), weights).eval()


def write_text_encoder(encoder: NgramEncoder, folder: Path) -> None:
    """Write `text.safetensors` into `folder`."""
    config = dataclasses.asdict(encoder.config)
    write_weights(folder / "text.safetensors", "ngram_text", config, encoder.state_dict())


def read_text_encoder(folder: Path) -> NgramEncoder:
    """Read `text.safetensors` from `folder`, ready for inference."""
    config, weights = read_weights(folder / "text.safetensors", "ngram_text")
    encoder = NgramEncoder(NgramConfig(**config))
    encoder.load_state_dict(weights)
    return encoder.eval()


def write_transformer(model: CausalWanTransformer, folder: Path) -> None:
    """Write `transformer.safetensors` (original Wan key names) into `folder`: all there is, VACE included."""
    config = dataclasses.asdict(model.config)
    write_weights(folder / "transformer.safetensors", "causal_dit", config, model.state_dict())


def read_transformer(folder: Path) -> CausalWanTransformer:
    """Read `transformer.safetensors` from `folder`, ready for inference."""
    config, weights = read_weights(folder / "transformer.safetensors", "causal_dit")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    model = CausalWanTransformer(ModelConfig(**values))
    model.load_state_dict(weights)
    return model.eval()
